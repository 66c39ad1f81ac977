package org.jloss.python;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lists of numbers as one text of a character a byte, which crosses to GraalPy in one go: element
 * by element a call each way takes longer than all else. Numbers of one kind are {@code ["numbers",
 * code, text]} with a code of Python's module struct; lists of such are {@code ["lists", lengths,
 * all their numbers]}.
 */
final class Packed {
  private static final String FLOATS = "d";
  private static final String INTS = "q";
  private static final String BOOLS = "?";

  private Packed() {}

  /** The tree of a list that holds numbers of one kind, or lists of such; null for any other. */
  static Object @Nullable [] encode(List<?> list) {
    final Object[] numbers = numbers(List.of(list));
    if (numbers != null) {
      return numbers;
    }
    final List<List<?>> parts = new ArrayList<>();
    for (final Object element : list) {
      final List<?> part = Values.list(element);
      if (part == null) {
        return null;
      }
      parts.add(part);
    }
    final Object[] all = numbers(parts);
    return all == null
        ? null
        : new Object[] {"lists", numbers(List.of(parts.stream().map(List::size).toList())), all};
  }

  /** The elements of some lists in one text, or null if they are not numbers of one kind. */
  private static Object @Nullable [] numbers(List<? extends List<?>> parts) {
    final long count = parts.stream().mapToLong(List::size).sum();
    String code = null;
    ByteBuffer bytes = bytes(new byte[0]);
    for (final List<?> part : parts) {
      for (final Object element : part) {
        final Object number = Values.number(element);
        if (number == null || code != null && !code.equals(code(number))) {
          return null;
        }
        if (code == null) {
          code = code(number);
          bytes = bytes(new byte[Math.toIntExact(Math.multiplyExact(count, width(code)))]);
        }
        if (number instanceof Boolean bool) {
          bytes.put((byte) (bool ? 1 : 0));
        } else if (number instanceof Double real) {
          bytes.putDouble(real);
        } else {
          bytes.putLong((Long) number);
        }
      }
    }
    return code == null
        ? null
        : new Object[] {"numbers", code, new String(bytes.array(), StandardCharsets.ISO_8859_1)};
  }

  private static String code(Object number) {
    return number instanceof Double ? FLOATS : number instanceof Long ? INTS : BOOLS;
  }

  private static int width(String code) {
    return code.equals(BOOLS) ? 1 : Long.BYTES;
  }

  private static ByteBuffer bytes(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  /**
   * The list of a tree.
   *
   * @throws IllegalArgumentException if it is none: scripts can make up what they like
   */
  static List<Object> decode(List<?> tree) {
    if (tree.size() != 3 || !"lists".equals(tree.get(0))) {
      return decodeNumbers(tree);
    }
    final List<Object> all = decodeNumbers(tree.get(2));
    final List<Object> lists = new ArrayList<>();
    int from = 0;
    for (final Object length : decodeNumbers(tree.get(1))) {
      if (!(length instanceof Long size) || size < 0 || size > all.size() - from) {
        throw new IllegalArgumentException(
            "expected the length of one of a Python value's lists, at most "
                + (all.size() - from)
                + ", got "
                + length);
      }
      final int to = from + size.intValue();
      lists.add(new ArrayList<>(all.subList(from, to)));
      from = to;
    }
    return lists;
  }

  private static List<Object> decodeNumbers(@Nullable Object tree) {
    if (!(tree instanceof List<?> parts)
        || parts.size() != 3
        || !"numbers".equals(parts.get(0))
        || !(parts.get(1) instanceof String code)
        || !List.of(FLOATS, INTS, BOOLS).contains(code)
        || !(parts.get(2) instanceof String text)
        || text.length() % width(code) != 0) {
      final String got = String.valueOf(tree);
      throw new IllegalArgumentException(
          "expected a Python list's numbers, got " + got.substring(0, Math.min(got.length(), 80)));
    }
    final ByteBuffer bytes = bytes(text.getBytes(StandardCharsets.ISO_8859_1));
    final List<Object> list = new ArrayList<>(text.length() / width(code));
    while (bytes.hasRemaining()) {
      list.add(
          switch (code) {
            case FLOATS -> bytes.getDouble();
            case INTS -> bytes.getLong();
            default -> bytes.get() != 0;
          });
    }
    return list;
  }
}
