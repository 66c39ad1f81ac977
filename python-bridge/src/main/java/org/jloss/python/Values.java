package org.jloss.python;

import java.lang.reflect.Array;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;
import org.jloss.NdArray;
import org.jspecify.annotations.Nullable;

/**
 * Java's values and Python's as trees that both sides read, also across processes: null, Boolean,
 * Long, Double and String as themselves, everything else as an array that begins with its kind,
 * such as {@code ["dict", key, value, ...]}. boot.py has the other end. What tensors, losses and
 * Java's objects become is the subclass's.
 */
abstract class Values {
  /** Nested deeper a value is taken for a mistake: a list that holds itself. */
  static final int DEEPEST = 100;

  /** A tree for something that is no plain value; throws {@link #wrong} where there is none. */
  abstract Object encodeOther(Object value);

  /** The tree of a list all at once, or null if its elements are to be encoded one by one. */
  @Nullable Object encodeAll(List<?> list) {
    return null;
  }

  /** The value of a tree that stands for no plain one. */
  abstract Object decodeOther(Object tree);

  final @Nullable Object encode(@Nullable Object value) {
    return encode(value, 0);
  }

  private @Nullable Object encode(@Nullable Object value, int depth) {
    if (depth > DEEPEST) {
      throw new IllegalArgumentException("expected a value nested at most " + DEEPEST + " deep");
    }
    if (value == null || value instanceof String) {
      return value;
    }
    final Object number = number(value);
    if (number != null) {
      return number instanceof Double real && !Double.isFinite(real)
          ? new Object[] {"float", real.toString()} // which JSON has not
          : number;
    }
    if (value instanceof BigInteger big) {
      return new Object[] {"int", big.toString(16)};
    }
    if (value instanceof Character) {
      return value.toString();
    }
    if (value instanceof byte[] bytes) {
      return new Object[] {"bytes", new String(bytes, StandardCharsets.ISO_8859_1)};
    }
    if (value instanceof NdArray array) {
      try (Tensor tensor = array.toTensor()) {
        return encodeOther(tensor);
      }
    }
    final List<@Nullable Object> parts = new ArrayList<>();
    final List<?> list = list(value);
    if (list != null) {
      final Object all = encodeAll(list);
      if (all != null) {
        return all;
      }
      parts.add("list");
      list.forEach(e -> parts.add(encode(e, depth + 1)));
    } else if (value instanceof Set<?> elements) {
      parts.add("set");
      elements.forEach(e -> parts.add(encode(e, depth + 1)));
    } else if (value instanceof Map<?, ?> map) {
      parts.add("dict");
      map.forEach(
          (k, v) -> {
            parts.add(encode(k, depth + 1));
            parts.add(encode(v, depth + 1));
          });
    } else {
      return encodeOther(value);
    }
    return parts.toArray();
  }

  /** A number of Python's bool, int or float as Boolean, Long or Double, or null. */
  static @Nullable Object number(@Nullable Object value) {
    if (value instanceof Boolean || value instanceof Long || value instanceof Double) {
      return value;
    }
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    return value instanceof Float real ? real.doubleValue() : null;
  }

  /** The elements of what becomes a list in Python, or null. */
  static @Nullable List<?> list(@Nullable Object value) {
    if (value instanceof Collection<?> elements && !(value instanceof Set)) {
      return elements instanceof List<?> list ? list : new ArrayList<>(elements);
    }
    if (value == null || !value.getClass().isArray() || value instanceof byte[]) {
      return null;
    }
    final int size = Array.getLength(value);
    return new AbstractList<@Nullable Object>() {
      @Override
      public @Nullable Object get(int index) {
        return Array.get(value, index);
      }

      @Override
      public int size() {
        return size;
      }
    };
  }

  final @Nullable Object decode(@Nullable Object tree) {
    if (tree instanceof Integer number) {
      return number.longValue();
    }
    if (tree == null
        || tree instanceof Boolean
        || tree instanceof Long
        || tree instanceof Double
        || tree instanceof String) {
      return tree;
    }
    if (!(tree instanceof List<?> parts) || parts.isEmpty()) {
      return decodeOther(tree);
    }
    final List<?> rest = parts.subList(1, parts.size());
    // Of the kinds with one text.
    final String text = String.valueOf(parts.get(parts.size() - 1));
    return switch (String.valueOf(parts.get(0))) {
      case "list" -> all(rest, new ArrayList<>());
      case "set" -> all(rest, new LinkedHashSet<>());
      case "dict" -> {
        final Map<@Nullable Object, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i + 1 < rest.size(); i += 2) {
          map.put(decode(rest.get(i)), decode(rest.get(i + 1)));
        }
        yield map;
      }
      case "int" -> new BigInteger(text, 16);
      case "float" -> Double.valueOf(text);
      case "bytes" -> text.getBytes(StandardCharsets.ISO_8859_1);
      case "unknown" ->
          throw new IllegalArgumentException("a Python " + text + " has no Java type");
      default -> decodeOther(tree);
    };
  }

  private <C extends Collection<@Nullable Object>> C all(List<?> trees, C into) {
    trees.forEach(t -> into.add(decode(t)));
    return into;
  }

  static IllegalArgumentException wrong(Object value) {
    return new IllegalArgumentException(
        "expected a tensor, NdArray, loss, miner, memory, boolean, number, text, byte[], list, set,"
            + " map or an object with methods annotated with HostAccess.Export, got a "
            + value.getClass().getName());
  }

  /**
   * A decoded value as a method's type wants it.
   *
   * @param what what it is, for the message
   * @throws IllegalArgumentException if it is no such thing
   */
  static @Nullable Object as(Class<?> type, @Nullable Object value, String what) {
    if (type == void.class || type == Void.class) {
      return null;
    }
    if (value == null && !type.isPrimitive() || type.isInstance(value)) {
      return value;
    }
    if (type == boolean.class && value instanceof Boolean) {
      return value;
    }
    if (value instanceof Long number) {
      final long n = number;
      if (type == long.class) {
        return n;
      }
      if ((type == int.class || type == Integer.class) && n == (int) n) {
        return (int) n;
      }
      if (type == BigInteger.class) {
        return BigInteger.valueOf(n);
      }
    }
    if (value instanceof Long || value instanceof Double) {
      final double number = ((Number) value).doubleValue();
      if (type == double.class || type == Double.class) {
        return number;
      }
      if (type == float.class || type == Float.class) {
        return (float) number;
      }
    }
    throw new IllegalArgumentException(
        what
            + ": expected a "
            + type.getSimpleName()
            + ", got "
            + (value == null ? "None" : "a " + value.getClass().getSimpleName()));
  }
}
