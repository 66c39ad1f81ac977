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
    final Object[] numbers = numbers(list);
    if (numbers != null) {
      return numbers;
    }
    final List<Long> lengths = new ArrayList<>(list.size());
    final List<@Nullable Object> all = new ArrayList<>();
    for (final Object element : list) {
      final List<?> part = Values.list(element);
      if (part == null) {
        return null;
      }
      lengths.add((long) part.size());
      all.addAll(part);
    }
    final Object[] packed = numbers(all);
    return packed == null ? null : new Object[] {"lists", numbers(lengths), packed};
  }

  private static Object @Nullable [] numbers(List<?> list) {
    final String code = list.isEmpty() ? null : code(list.get(0));
    if (code == null || !list.stream().allMatch(e -> code.equals(code(e)))) {
      return null;
    }
    final int width = code.equals(BOOLS) ? 1 : Long.BYTES;
    final ByteBuffer bytes = bytes(new byte[Math.multiplyExact(list.size(), width)]);
    for (final Object element : list) {
      if (element instanceof Boolean bool) {
        bytes.put((byte) (bool ? 1 : 0));
      } else if (code.equals(FLOATS)) {
        bytes.putDouble(((Number) element).doubleValue());
      } else {
        bytes.putLong(((Number) element).longValue());
      }
    }
    return new Object[] {"numbers", code, new String(bytes.array(), StandardCharsets.ISO_8859_1)};
  }

  private static @Nullable String code(@Nullable Object value) {
    if (value instanceof Double || value instanceof Float) {
      return FLOATS;
    }
    if (value instanceof Long
        || value instanceof Integer
        || value instanceof Short
        || value instanceof Byte) {
      return INTS;
    }
    return value instanceof Boolean ? BOOLS : null;
  }

  private static ByteBuffer bytes(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
  }

  /** The list of a tree. */
  static List<Object> decode(List<?> tree) {
    final List<Object> list = new ArrayList<>();
    if (tree.get(0).equals("lists")) {
      final List<Object> all = decode((List<?>) tree.get(2));
      int from = 0;
      for (final Object length : decode((List<?>) tree.get(1))) {
        final int to = from + ((Long) length).intValue();
        list.add(new ArrayList<>(all.subList(from, to)));
        from = to;
      }
      return list;
    }
    final ByteBuffer bytes = bytes(((String) tree.get(2)).getBytes(StandardCharsets.ISO_8859_1));
    while (bytes.hasRemaining()) {
      switch ((String) tree.get(1)) {
        case FLOATS -> list.add(bytes.getDouble());
        case INTS -> list.add(bytes.getLong());
        default -> list.add(bytes.get() != 0);
      }
    }
    return list;
  }
}
