package org.jloss;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Checks and changes of a record's parameters: for the records of losses, one's own included. */
public final class Parameters {
  private Parameters() {}

  /**
   * Checks parameters against the ranges that the record's components declare. To be called from
   * the canonical constructor.
   *
   * @param type the class with the definition
   * @param values the values, in the order of the components
   * @throws IllegalArgumentException if one is missing, NaN or out of range; the message names the
   *     loss, the parameter, what was expected and what came
   */
  public static void check(Class<?> type, @Nullable Object... values) {
    final Spec spec = Spec.of(type);
    for (int i = 0; i < values.length; i++) {
      check(spec, spec.parameters().get(i), values[i]);
    }
  }

  private static void check(Spec spec, Spec.Parameter parameter, @Nullable Object value) {
    if (value == null) {
      if (!parameter.nullable()) {
        throw wrong(spec, parameter, expected(spec, parameter), "null");
      }
    } else if (value instanceof Reduction reduction) {
      if (!spec.reductions().contains(reduction)) {
        throw wrong(spec, parameter, expected(spec, parameter), name(reduction));
      }
    } else if (value instanceof Number number) {
      if (!parameter.allows(number.doubleValue())) {
        throw wrong(spec, parameter, parameter.range(), number.toString());
      }
    } else if (value instanceof Numbers numbers) {
      for (int i = 0; i < numbers.size(); i++) {
        if (!parameter.allows(numbers.get(i))) {
          throw wrong(spec, parameter, parameter.range(), numbers.toString());
        }
      }
    }
  }

  /** A value as PyTorch spells it. */
  static String name(Object value) {
    return value instanceof Enum<?> constant
        ? constant.name().toLowerCase(Locale.ROOT)
        : String.valueOf(value);
  }

  static String names(Object[] values) {
    return Arrays.stream(values).map(Parameters::name).collect(Collectors.joining(", "));
  }

  /** What a parameter takes, in words. */
  static String expected(Spec spec, Spec.Parameter parameter) {
    final Class<?> type = parameter.type();
    if (type == Reduction.class) {
      return "one of " + names(spec.reductions().toArray());
    }
    if (type.isEnum()) {
      return "one of " + names(type.getEnumConstants());
    }
    if (type == boolean.class) {
      return "true or false";
    }
    if (type == long.class || type == Long.class) {
      return "an integer" + (parameter.range().equals("a number") ? "" : " " + parameter.range());
    }
    return parameter.list() || type == ClassWeights.class || type == Numbers.class
        ? "a number or several"
        : parameter.range();
  }

  static IllegalArgumentException wrong(
      Spec spec, Spec.Parameter parameter, String expected, String got) {
    return new IllegalArgumentException(
        spec.id() + ": expected " + parameter.name() + " " + expected + ", got " + got);
  }

  /** Reads and rebuilds the records of one class. */
  private record Shape(String[] names, MethodHandle[] accessors, MethodHandle constructor) {
    @SuppressWarnings("unchecked")
    static final ClassValue<Shape> ALL =
        new ClassValue<>() {
          @Override
          protected Shape computeValue(Class<?> type) {
            try {
              final RecordComponent[] components = type.getRecordComponents();
              final MethodHandles.Lookup lookup = MethodHandles.publicLookup();
              final String[] names = new String[components.length];
              final Class<?>[] types = new Class<?>[components.length];
              final MethodHandle[] accessors = new MethodHandle[components.length];
              for (int i = 0; i < components.length; i++) {
                names[i] = components[i].getName();
                types[i] = components[i].getType();
                accessors[i] = lookup.unreflect(components[i].getAccessor());
              }
              return new Shape(
                  names,
                  accessors,
                  lookup.findConstructor(type, MethodType.methodType(void.class, types)));
            } catch (ReflectiveOperationException e) {
              throw new IllegalArgumentException(type.getName() + " is no public record", e);
            }
          }
        };
  }

  /**
   * A copy of a record with one component changed: what the copying accessors of losses return.
   *
   * @param component the component's name in Java
   */
  @SuppressWarnings("unchecked")
  public static <R extends Record> R with(R record, String component, @Nullable Object value) {
    final Shape shape = Shape.ALL.get(record.getClass());
    try {
      final Object[] values = new Object[shape.names.length];
      boolean found = false;
      for (int i = 0; i < values.length; i++) {
        final boolean changed = shape.names[i].equals(component);
        found |= changed;
        values[i] = changed ? value : shape.accessors[i].invoke(record);
      }
      if (!found) {
        throw new IllegalArgumentException(
            record.getClass().getSimpleName() + " has no component " + component);
      }
      return (R) shape.constructor.invokeWithArguments(values);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** The value of a component. */
  static @Nullable Object get(Record record, String component) {
    final Shape shape = Shape.ALL.get(record.getClass());
    final int i = Arrays.asList(shape.names).indexOf(component);
    try {
      return shape.accessors[i].invoke(record);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
