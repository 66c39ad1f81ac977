package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jloss.NativeLibrary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The library in processes of all kinds. */
class LibraryTest {

  @ParameterizedTest
  @ValueSource(strings = {"default", "avx2", "avx512"})
  void runsTheKernelsOfTheCapabilityAndTheyAgree(String capability) throws Exception {
    final List<String> expected = lines(start(List.of(), Map.of()));
    final List<String> lines = lines(start(List.of(), Map.of("ATEN_CPU_CAPABILITY", capability)));
    final String best = expected.get(0).split(" ")[0];
    final String runs = lines.get(0).split(" ")[0];
    if (!capability.equals("avx512") || best.equals("AVX512")) {
      assertEquals(capability.toUpperCase(java.util.Locale.ROOT), runs);
    }
    assertEquals(expected.size(), lines.size());
    for (int i = 1; i < lines.size(); i++) {
      final String[] a = expected.get(i).split(" ");
      final String[] b = lines.get(i).split(" ");
      assertEquals(a[0], b[0]);
      for (int k = 1; k < a.length; k++) {
        final double x = Double.parseDouble(a[k]);
        assertEquals(x, Double.parseDouble(b[k]), 2e-6 * Math.abs(x), lines.get(i));
      }
    }
  }

  @Test
  void passesTheVirtualMachinesChecksOfNativeCalls() throws Exception {
    final List<String> lines = lines(start(List.of("-Xcheck:jni"), Map.of()));
    // The preset's own native code draws warnings on exceptions and local references.
    final List<String> ours = lines.stream().filter(l -> l.contains("org.jloss")).toList();
    assertEquals(List.of(), ours);
    assertFalse(String.join("\n", lines).contains("FATAL"));
  }

  @Test
  void runsWithAReadOnlyHomeAndTwoProcessesAtOnce(@TempDir Path temp) throws Exception {
    final Path home = Files.createDirectory(temp.resolve("home"));
    final Path tmp = Files.createDirectory(temp.resolve("tmp"));
    // A file where the cache would be is what root cannot write through either.
    Files.writeString(home.resolve(".javacpp"), "in the way");
    final List<String> jvm = List.of("-Duser.home=" + home, "-Djava.io.tmpdir=" + tmp);
    final Process first = start(jvm, Map.of());
    final Process second = start(jvm, Map.of());
    assertEquals(lines(first), lines(second));
  }

  @Test
  void refusesASecondCopyInWords() throws Exception {
    NativeLibrary.load();
    final List<URL> jars = new ArrayList<>();
    for (final String entry : classPath().split(File.pathSeparator)) {
      if (entry.contains("jloss")) {
        jars.add(Path.of(entry).toUri().toURL());
      }
    }
    // The preset stays with the parent: its libraries can be loaded once only.
    try (URLClassLoader loader =
        new URLClassLoader(jars.toArray(URL[]::new), getClass().getClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
              final boolean ours = name.startsWith("org.jloss.");
              final Class<?> loaded = findLoadedClass(name);
              return loaded != null
                  ? loaded
                  : ours ? findClass(name) : super.loadClass(name, resolve);
            }
          }
        }) {
      final Class<?> copy = loader.loadClass("org.jloss.NativeLibrary");
      final Throwable thrown =
          org.junit.jupiter.api.Assertions.assertThrows(
                  java.lang.reflect.InvocationTargetException.class,
                  () -> copy.getMethod("load").invoke(null))
              .getCause();
      assertEquals(IllegalStateException.class, thrown.getClass());
      assertTrue(thrown.getMessage().contains("another copy of jloss"), thrown.getMessage());
    }
  }

  /** The tests' class path, which surefire hides in a manifest. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }

  private static Process start(List<String> options, Map<String, String> environment)
      throws IOException {
    final List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0"));
    if (Runtime.version().feature() >= 24) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(options);
    command.addAll(Arrays.asList("-cp", classPath(), Probe.class.getName()));
    final ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(new LinkedHashMap<>(environment));
    return builder.start();
  }

  private static List<String> lines(Process process) throws Exception {
    final String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(5, TimeUnit.MINUTES));
    assertEquals(0, process.exitValue(), text);
    return text.lines().filter(l -> !l.isBlank() && !l.startsWith("WARNING: ")).toList();
  }
}
