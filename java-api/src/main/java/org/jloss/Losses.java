package org.jloss;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Stateful;
import org.jspecify.annotations.Nullable;

/**
 * All that the library has, by name: what Python, the command line and the generic tests go
 * through. A jar of one's own adds its losses by a file {@code META-INF/jloss/losses.txt}, which
 * names its records, a line each; each has a public constructor without arguments, for its
 * defaults.
 */
public final class Losses {
  /** Names the records of losses that do not come with the library, a line each. */
  private static final String OTHERS = "META-INF/jloss/losses.txt";

  private Losses() {}

  private static final class Registry {
    static final Map<String, Spec> ALL = read();

    private static Map<String, Spec> read() {
      final Map<String, Spec> specs = new TreeMap<>();
      try {
        // Written by the build: the names of all classes in the packages of the families.
        final URL own = Losses.class.getResource("classes.txt");
        if (own == null) {
          throw new IllegalStateException("org/jloss/classes.txt is missing from the jar of jloss");
        }
        read(own, Losses.class.getClassLoader(), specs);
        final ClassLoader context = Thread.currentThread().getContextClassLoader();
        final ClassLoader loader = context == null ? Losses.class.getClassLoader() : context;
        for (final URL list : Collections.list(loader.getResources(OTHERS))) {
          read(list, loader, specs);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return Collections.unmodifiableMap(specs);
    }

    private static void read(URL list, ClassLoader loader, Map<String, Spec> specs)
        throws IOException {
      try (InputStream in = list.openStream()) {
        for (final String line :
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
          try {
            final Class<?> type = Class.forName(line.strip(), false, loader);
            if (type.isAnnotationPresent(Definition.class)) {
              add(Spec.of(type), specs);
            }
          } catch (ClassNotFoundException | IllegalArgumentException e) {
            // A jar that is broken takes no other's losses away.
            System.getLogger("org.jloss")
                .log(Level.WARNING, list + ": left out " + line + ": " + e);
          }
        }
      }
    }

    private static void add(Spec spec, Map<String, Spec> specs) {
      final Spec before = specs.putIfAbsent(spec.id(), spec);
      if (before != null && before.type() != spec.type()) {
        throw new IllegalArgumentException(
            "there is a loss " + spec.id() + " already, " + before.type().getName());
      }
    }
  }

  /** Every system of the library, by name in order. */
  public static Collection<Spec> all() {
    return Registry.ALL.values();
  }

  /**
   * The system of a name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Spec spec(String id) {
    final Spec spec = Registry.ALL.get(id);
    if (spec == null) {
      throw new IllegalArgumentException(
          "there is no loss '"
              + id
              + "'; the nearest is "
              + nearest(Spec.snakeCase(id))
              + "; there are "
              + String.join(", ", Registry.ALL.keySet()));
    }
    return spec;
  }

  private static String nearest(String id) {
    return Collections.min(
        Registry.ALL.keySet(), Comparator.comparingInt(other -> edits(id, other)));
  }

  /** How many characters to put in, take out or change make one text the other (Levenshtein). */
  private static int edits(String from, String to) {
    int[] row = IntStream.rangeClosed(0, to.length()).toArray();
    for (int i = 0; i < from.length(); i++) {
      final int[] next = new int[row.length];
      next[0] = i + 1;
      for (int j = 0; j < to.length(); j++) {
        final int changed = row[j] + (from.charAt(i) == to.charAt(j) ? 0 : 1);
        next[j + 1] = Math.min(changed, 1 + Math.min(row[j + 1], next[j]));
      }
      row = next;
    }
    return row[to.length()];
  }

  /** A loss with its defaults. */
  public static Loss create(String id) {
    return create(id, Map.of());
  }

  /**
   * A loss with some parameters.
   *
   * @param id its name
   * @param parameters values by the parameters' names in snake case: numbers, booleans, texts for
   *     enumerations, lists of numbers; null where a parameter may be left out
   * @throws IllegalArgumentException for an unknown name, and for a value that a parameter does not
   *     take
   */
  public static Loss create(String id, Map<String, ? extends @Nullable Object> parameters) {
    final Object made = instantiate(spec(id), parameters);
    if (made instanceof Loss loss) {
      return loss;
    }
    throw new IllegalArgumentException(id + " is no loss but a " + made.getClass().getSimpleName());
  }

  /** Like {@link #create(String, Map)} for any kind of system. */
  public static Object instantiate(Spec spec, Map<String, ? extends @Nullable Object> parameters) {
    final Record record = parameters(spec, parameters);
    if (record.getClass() == spec.type()) {
      return record;
    }
    try {
      return spec.type().getConstructor(record.getClass()).newInstance(record);
    } catch (InvocationTargetException e) {
      throw unwrap(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The record of a system's parameters: the loss itself, or the options of what keeps a state,
   * which is not made.
   */
  public static Record parameters(Spec spec, Map<String, ? extends @Nullable Object> parameters) {
    for (final String name : parameters.keySet()) {
      if (spec.parameter(name).isEmpty()) {
        throw new IllegalArgumentException(
            spec.id()
                + ": unexpected parameter "
                + name
                + "; there are "
                + String.join(", ", spec.parameters().stream().map(Spec.Parameter::name).toList()));
      }
    }
    final Stateful stateful = spec.type().getAnnotation(Stateful.class);
    final Class<?> type = stateful == null ? spec.type() : stateful.options();
    try {
      Record made = (Record) type.getConstructor().newInstance();
      for (final Map.Entry<String, ? extends @Nullable Object> entry : parameters.entrySet()) {
        final Spec.Parameter parameter = spec.parameter(entry.getKey()).orElseThrow();
        made =
            Parameters.with(
                made, parameter.component(), convert(spec, parameter, entry.getValue()));
      }
      return made;
    } catch (InvocationTargetException e) {
      throw unwrap(e);
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(
          spec.id()
              + ": expected "
              + type.getName()
              + " to have a public constructor without arguments, for its defaults",
          e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What a constructor threw. */
  private static RuntimeException unwrap(InvocationTargetException thrown) {
    if (thrown.getCause() instanceof Error error) {
      throw error;
    }
    return thrown.getCause() instanceof RuntimeException cause
        ? Errors.translate(cause)
        : new IllegalStateException(thrown);
  }

  /** A parameter's value in a loss, null where it is left out. */
  public static @Nullable Object value(Object loss, Spec.Parameter parameter) {
    return Parameters.get((Record) loss, parameter.component());
  }

  private static @Nullable Object convert(
      Spec spec, Spec.Parameter parameter, @Nullable Object value) {
    if (value == null) {
      return null;
    }
    if (parameter.list()) {
      final List<?> values = value instanceof List<?> list ? list : List.of(value);
      return values.stream().map(v -> convertOne(spec, parameter, v)).toList();
    }
    return convertOne(spec, parameter, value);
  }

  private static Object convertOne(Spec spec, Spec.Parameter parameter, Object value) {
    final Class<?> type = parameter.type();
    if (type.isInstance(value) || (type == boolean.class && value instanceof Boolean)) {
      return value;
    }
    if (value instanceof Number number) {
      if (type == double.class || type == Double.class) {
        return number.doubleValue();
      }
      if ((type == long.class || type == Long.class)
          && number.doubleValue() == number.longValue()) {
        return number.longValue();
      }
      if (type == Numbers.class) {
        return Numbers.of(number.doubleValue());
      }
      if (type == ClassWeights.class) {
        return ClassWeights.ofAll(number.doubleValue());
      }
    }
    if (value instanceof String text) {
      if (type.isEnum()) {
        for (final Object constant : type.getEnumConstants()) {
          if (Parameters.name(constant).equals(text.toLowerCase(Locale.ROOT))) {
            return constant;
          }
        }
      } else if (text.equals("inf") && (type == double.class || type == Double.class)) {
        return Double.POSITIVE_INFINITY;
      }
    }
    if (value instanceof List<?> list && list.stream().allMatch(Number.class::isInstance)) {
      final double[] numbers = list.stream().mapToDouble(n -> ((Number) n).doubleValue()).toArray();
      if (type == Numbers.class && numbers.length > 0) {
        return Numbers.of(numbers);
      }
      if (type == ClassWeights.class && numbers.length > 0) {
        return ClassWeights.of(numbers);
      }
    }
    throw Parameters.wrong(
        spec, parameter, Parameters.expected(spec, parameter), "'" + Parameters.name(value) + "'");
  }
}
