package org.jloss.python;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.graalvm.polyglot.HostAccess;

/**
 * Has a script call all that Java exports to it with made-up arguments, in a JVM of its own, and
 * tells the last call in a file.
 */
final class HostSweep {
  private HostSweep() {}

  /** The classes that export something to scripts. */
  static List<Class<?>> exporting() {
    try (Stream<Path> files = Files.list(Path.of("target/classes/org/jloss/python"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".class"))
          .map(name -> type("org.jloss.python." + name.substring(0, name.length() - 6)))
          .filter(type -> !exported(type).isEmpty())
          .collect(Collectors.toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The methods that a class, or one above it, exports. */
  static List<Method> exported(Class<?> type) {
    return Stream.of(type.getMethods())
        .filter(method -> method.isAnnotationPresent(HostAccess.Export.class))
        .filter(method -> !method.isBridge())
        .toList();
  }

  private static Class<?> type(String name) {
    try {
      return Class.forName(name, false, HostSweep.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a caller passes in. */
  public static final class Passed {
    /** Of all kinds. */
    @HostAccess.Export
    public Object take(long number, String text, List<Object> list) {
      return list;
    }
  }

  /** Writes the last call where it is found. */
  public static final class Last {
    private final Path file;

    Last(Path file) {
      this.file = file;
    }

    /** Writes. */
    @HostAccess.Export
    public void write(String text) throws IOException {
      Files.writeString(file, text);
    }
  }

  /** Arguments: a seed, how many calls a method and number of arguments, the file. */
  public static void main(String[] arguments) throws IOException {
    final Map<String, Map<String, Integer>> methods = new TreeMap<>();
    for (final Class<?> type : exporting()) {
      final Map<String, Integer> counts = new TreeMap<>();
      exported(type).forEach(m -> counts.merge(m.getName(), m.getParameterCount(), Math::max));
      methods.put(type.getSimpleName(), counts);
    }
    methods.remove("PySystem"); // what PyLoss, PyMiner and PyMemory have in common
    final String script;
    try (var in = HostSweep.class.getResourceAsStream("host_sweep.py")) {
      script = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
    final int status;
    try (PythonBridge python = PythonBridge.create()) {
      python.set("methods", methods);
      python.set("passed", new Passed());
      python.set("last_call", new Last(Path.of(arguments[2])));
      python.set("seed", Long.parseLong(arguments[0]));
      python.set("rounds", Long.parseLong(arguments[1]));
      status = python.runScript("host_sweep.py", script, List.of());
    }
    System.exit(status);
  }
}
