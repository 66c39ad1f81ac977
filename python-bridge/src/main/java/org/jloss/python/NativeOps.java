package org.jloss.python;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Errors;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Any operator of libtorch's dispatcher by its name: finds the overload that takes the arguments,
 * as PyTorch's own Python parser does, and calls it.
 */
final class NativeOps {
  // The tags of native/include/jloss/dispatch.h.
  private static final int NONE = 0;
  private static final int TENSOR = 1;
  static final int TENSORS = 2;
  private static final int OPTIONAL_TENSORS = 3;
  private static final int INT = 4;
  static final int DOUBLE = 5;
  static final int BOOL = 6;
  private static final int INTS = 7;
  private static final int DOUBLES = 8;
  private static final int BOOLS = 9;
  private static final int TEXT = 10;
  static final int DEFAULT = 11;
  private static final int DEVICE = 12;
  private static final int NUMBER = 13;

  private static final long CPU = 0;
  private static final long META = 14;

  /** Operators by which a script could reach files, raw storage or memory of others. */
  private static final List<String> CLOSED =
      List.of(
          "from_file",
          "set_",
          "set_data",
          "record_stream",
          "resize_",
          "resize_as_",
          "resize_as_sparse_",
          "is_pinned",
          "pin_memory",
          "rename",
          "rename_",
          "sym_size",
          "sym_stride",
          "sym_numel",
          "sym_storage_offset",
          // Crash on indices out of range that they do not check:
          "segment_reduce",
          "linalg_ldl_solve",
          "ctc_loss",
          "coalesce",
          "to_dense");

  private static final Set<String> DIVISIONS =
      Set.of(
          "div",
          "div_",
          "divide",
          "divide_",
          "floor_divide",
          "floor_divide_",
          "remainder",
          "remainder_",
          "fmod",
          "fmod_");

  /** Kinds that trust their indices or formats: a script could read and write beyond a tensor. */
  private static final Pattern UNCHECKED =
      Pattern.compile(
          ".+_backward.*|.*(sparse|mkldnn|fbgemm|quantize|unsafe|cudnn|miopen|nested|dequant).*"
              + "|q_.*|.*(ccol|crow|col|row)_indices");

  /** Those whose numbers PyTorch makes tensors of, so that the graph shows the same nodes. */
  private static final Set<String> NUMBERS_AS_TENSORS =
      Set.of(
          "add",
          "add_",
          "sub",
          "sub_",
          "mul",
          "mul_",
          "div",
          "div_",
          "floor_divide",
          "floor_divide_",
          "subtract",
          "multiply",
          "divide",
          "true_divide");

  /** Operators with a leading underscore that scripts need; the others check too little. */
  private static final List<String> OPEN = List.of("_backward");

  private static final Map<String, List<Schema>> SCHEMAS = new ConcurrentHashMap<>();

  /** One a thread, as a call uses it from its arguments to its results. */
  private static final ThreadLocal<TensorVector> VECTORS =
      ThreadLocal.withInitial(
          () -> {
            final TensorVector vector = new TensorVector();
            vector.retainReference();
            return vector;
          });

  private final TensorPool pool;

  NativeOps(TensorPool pool) {
    this.pool = pool;
  }

  /** The overloads of an operator that scripts may call, in the order in which they are tried. */
  List<Schema> overloads(String name) {
    pool.load();
    return SCHEMAS.computeIfAbsent(
        name,
        n -> {
          if (CLOSED.contains(n)
              || UNCHECKED.matcher(n).matches()
              || n.startsWith("_") && !OPEN.contains(n)
              || !n.matches("[A-Za-z_][A-Za-z0-9_]*")) {
            return List.of();
          }
          try (PointerScope scope = new PointerScope()) {
            return Native.overloads("aten::" + n)
                .lines()
                .map(Schema::parse)
                .filter(Objects::nonNull)
                .filter(s -> !NUMBERS_AS_TENSORS.contains(n) || !s.takesScalar("other"))
                .sorted(Comparator.comparingInt(Schema::order).thenComparing(Schema::text))
                .toList();
          }
        });
  }

  boolean has(String name) {
    return !overloads(name).isEmpty();
  }

  /**
   * Calls an operator.
   *
   * @return a tensor, number, bool, null, or an array of them
   */
  @Nullable Object call(
      String name, List<@Nullable Object> arguments, Map<String, @Nullable Object> keywords) {
    final List<Schema> overloads = overloads(name);
    if (overloads.isEmpty()) {
      throw new PyError("AttributeError", "there is no operator '" + name + "'");
    }
    for (final Schema schema : overloads) {
      final Object[] bound = bind(schema, arguments, keywords);
      if (bound != null) {
        if (DIVISIONS.contains(schema.name()) && bound.length > 1) {
          checkDivision(schema.name(), bound);
        }
        return run(schema, bound);
      }
    }
    throw mismatch(name, overloads, arguments, keywords);
  }

  @Nullable Object call(String name, @Nullable Object... arguments) {
    return call(name, Arrays.asList(arguments), Map.of());
  }

  PyTensor tensor(String name, @Nullable Object... arguments) {
    return (PyTensor) Objects.requireNonNull(call(name, arguments));
  }

  /** The processor traps on the smallest integer divided by -1, and that ends the JVM. */
  private static void checkDivision(String name, @Nullable Object[] bound) {
    final boolean rounds =
        !name.startsWith("div") || (bound.length > 2 && bound[2] instanceof String);
    if (!rounds || !(bound[0] instanceof PyTensor dividend)) {
      return;
    }
    try (PointerScope scope = new PointerScope()) {
      final long smallest;
      switch (dividend.tensor().scalar_type().intern()) {
        case Long -> smallest = Long.MIN_VALUE;
        case Int -> smallest = Integer.MIN_VALUE;
        default -> {
          return;
        }
      }
      final boolean negates =
          bound[1] instanceof PyTensor divisor
              ? has(divisor.tensor(), -1)
              : bound[1] instanceof Number number && number.doubleValue() == -1;
      if (negates && has(dividend.tensor(), smallest)) {
        throw new PyError(
            "RuntimeError",
            name + ": the quotient of " + smallest + " and -1 is no integer of its dtype");
      }
    }
  }

  private static boolean has(Tensor tensor, long value) {
    return tensor.eq(new Scalar(value)).any().item().toBool();
  }

  private enum Absent {
    ARGUMENT
  }

  /** The arguments in the schema's order, converted; null if it does not take them. */
  private static Object @Nullable [] bind(
      Schema schema, List<@Nullable Object> given, Map<String, @Nullable Object> keywords) {
    final List<Schema.Argument> wanted = schema.arguments();
    final Object[] bound = new Object[wanted.size()];
    int position = 0;
    int used = 0;
    for (int i = 0; i < bound.length; i++) {
      final Schema.Argument argument = wanted.get(i);
      Object value = Absent.ARGUMENT;
      if (!argument.keywordOnly() && position < given.size()) {
        value = given.get(position++);
        if (onlyInts(schema, i) && value instanceof Long) {
          // x.reshape(2, 3) for x.reshape((2, 3))
          value = given.subList(position - 1, given.size());
          position = given.size();
        }
        if (keywords.containsKey(argument.name())) {
          return null;
        }
      } else {
        final String name = keyword(argument, keywords);
        if (name != null) {
          value = keywords.get(name);
          used++;
        }
      }
      if (value == Absent.ARGUMENT) {
        if (!argument.hasDefault()) {
          return null;
        }
        bound[i] = Absent.ARGUMENT;
      } else {
        bound[i] =
            argument.kind() == Schema.Kind.TENSOR
                    && argument.name().equals("other")
                    && (value instanceof Number || value instanceof Boolean)
                    && NUMBERS_AS_TENSORS.contains(schema.name())
                ? value
                : convert(argument, value);
        if (bound[i] == Absent.ARGUMENT) {
          return null;
        }
      }
    }
    return position == given.size() && used == keywords.size() ? bound : null;
  }

  /** PyTorch's Python names where they differ from the schemas'. */
  private static @Nullable String keyword(
      Schema.Argument argument, Map<String, @Nullable Object> keywords) {
    if (keywords.containsKey(argument.name())) {
      return argument.name();
    }
    return argument.name().equals("self") && keywords.containsKey("input") ? "input" : null;
  }

  /** Whether an argument is the only positional one beside self, and a list of ints. */
  private static boolean onlyInts(Schema schema, int index) {
    if (schema.arguments().get(index).kind() != Schema.Kind.INTS) {
      return false;
    }
    for (int i = 0; i < schema.arguments().size(); i++) {
      final Schema.Argument other = schema.arguments().get(i);
      if (i != index && !other.keywordOnly() && !(i == 0 && other.name().equals("self"))) {
        return false;
      }
    }
    return true;
  }

  private static @Nullable Object convert(Schema.Argument argument, @Nullable Object value) {
    if (value == null) {
      return argument.optional() ? null : Absent.ARGUMENT;
    }
    switch (argument.kind()) {
      case TENSOR:
        return value instanceof PyTensor ? value : Absent.ARGUMENT;
      case TENSORS:
        return all(value, e -> e instanceof PyTensor) ? value : Absent.ARGUMENT;
      case OPTIONAL_TENSORS:
        return all(value, e -> e == null || e instanceof PyTensor) ? value : Absent.ARGUMENT;
      case SCALAR:
        if (value instanceof PyTensor tensor && tensor.isNumber()) {
          return tensor.item();
        }
        return value instanceof Number || value instanceof Boolean ? value : Absent.ARGUMENT;
      case FLOAT:
        return value instanceof Number number
            ? number.doubleValue()
            : value instanceof PyTensor tensor && tensor.isNumber()
                ? ((Number) tensor.item()).doubleValue()
                : Absent.ARGUMENT;
      case INT:
        return value instanceof Long ? value : Absent.ARGUMENT;
      case BOOL:
        return value instanceof Boolean ? value : Absent.ARGUMENT;
      case INTS:
        if (value instanceof Long && argument.size() > 0) {
          return new ArrayList<>(java.util.Collections.nCopies(argument.size(), value));
        }
        return all(value, e -> e instanceof Long) ? value : Absent.ARGUMENT;
      case FLOATS:
        return all(value, e -> e instanceof Number) ? value : Absent.ARGUMENT;
      case BOOLS:
        return all(value, e -> e instanceof Boolean) ? value : Absent.ARGUMENT;
      case TEXT:
        return value instanceof String ? value : Absent.ARGUMENT;
      case CODE:
        return value instanceof PyCode code ? code.code() : Absent.ARGUMENT;
      case DEVICE:
        return "cpu".equals(value) || "meta".equals(value) ? value : Absent.ARGUMENT;
      default:
        return Absent.ARGUMENT;
    }
  }

  private static boolean all(Object value, java.util.function.Predicate<@Nullable Object> test) {
    return value instanceof List<?> list && list.stream().allMatch(test);
  }

  /** The arguments' code, grown as needed. */
  private static final class Code {
    private long[] words = new long[16];
    private int size;

    void add(long word) {
      if (size == words.length) {
        words = Arrays.copyOf(words, 2 * size);
      }
      words[size++] = word;
    }

    void add(int tag, long word) {
      add(tag);
      add(word);
    }

    long[] toArray() {
      return Arrays.copyOf(words, size);
    }
  }

  private @Nullable Object run(Schema schema, Object[] bound) {
    if (schema.mutates() || schema.name().equals("_backward")) {
      pool.makeRoom();
      return attempt(schema, bound);
    }
    return pool.allocate(() -> attempt(schema, bound));
  }

  private @Nullable Object attempt(Schema schema, Object[] bound) {
    final TensorVector tensors = VECTORS.get();
    // A backward pass may call a loss of the user's, which calls operators: those get another.
    VECTORS.remove();
    final Code code = new Code();
    try {
      for (int i = 0; i < bound.length; i++) {
        encode(schema.arguments().get(i), bound[i], code, tensors);
      }
      final long count;
      try {
        count = Native.call(schema.number(), code.toArray(), tensors);
      } catch (RuntimeException e) {
        throw schema.name().equals("_backward") ? Errors.translateBackward(e) : Errors.translate(e);
      }
      if (count == 1) {
        return schema.mutates() && bound[0] instanceof PyTensor self
            ? self
            : pool.own(new Tensor(tensors.get(0)));
      }
      return count < 0 ? decode(tensors) : several(tensors, 0, (int) count);
    } finally {
      tensors.clear();
      VECTORS.set(tensors);
      // Keeps the arguments reachable until the native call has its own handles of them.
      java.lang.ref.Reference.reachabilityFence(bound);
    }
  }

  private void encode(
      Schema.Argument argument, @Nullable Object value, Code code, TensorVector tensors) {
    if (value == Absent.ARGUMENT) {
      code.add(DEFAULT);
      return;
    }
    if (value == null) {
      code.add(NONE);
      return;
    }
    switch (argument.kind()) {
      case TENSOR:
        if (value instanceof PyTensor tensor) {
          code.add(TENSOR);
          tensors.push_back(tensor.tensor());
        } else {
          code.add(NUMBER);
          number(value, code);
        }
        break;
      case TENSORS, OPTIONAL_TENSORS:
        final List<?> list = (List<?>) value;
        code.add(argument.kind() == Schema.Kind.TENSORS ? TENSORS : OPTIONAL_TENSORS, list.size());
        for (final Object element : list) {
          if (element == null) {
            try (Tensor undefined = new Tensor()) {
              tensors.push_back(undefined);
            }
          } else {
            tensors.push_back(((PyTensor) element).tensor());
          }
        }
        break;
      case SCALAR, INT, FLOAT, BOOL, CODE:
        number(value, code);
        break;
      case INTS:
        final List<?> ints = (List<?>) value;
        code.add(INTS, ints.size());
        ints.forEach(e -> code.add((Long) e));
        break;
      case FLOATS:
        final List<?> floats = (List<?>) value;
        code.add(DOUBLES, floats.size());
        floats.forEach(e -> code.add(Double.doubleToRawLongBits(((Number) e).doubleValue())));
        break;
      case BOOLS:
        final List<?> bools = (List<?>) value;
        code.add(BOOLS, bools.size());
        bools.forEach(e -> code.add((Boolean) e ? 1 : 0));
        break;
      case TEXT:
        final byte[] text = ((String) value).getBytes(StandardCharsets.UTF_8);
        code.add(TEXT, text.length);
        for (final byte b : text) {
          code.add(b);
        }
        break;
      case DEVICE:
        code.add(DEVICE, value.equals("cpu") ? CPU : META);
        break;
      default:
        throw new IllegalStateException(argument.toString());
    }
  }

  private static void number(Object value, Code code) {
    if (value instanceof Boolean bool) {
      code.add(BOOL, bool ? 1 : 0);
    } else if (value instanceof Long number) {
      code.add(INT, number);
    } else {
      code.add(DOUBLE, Double.doubleToRawLongBits((Double) value));
    }
  }

  private Object[] several(TensorVector tensors, int from, int count) {
    final Object[] all = new Object[count];
    for (int i = 0; i < count; i++) {
      all[i] = pool.own(new Tensor(tensors.get(from + i)));
    }
    return all;
  }

  /** Results that are not plain tensors. */
  private @Nullable Object decode(TensorVector tensors) {
    final List<@Nullable Object> all = new ArrayList<>();
    try (LongVector results = Native.results()) {
      int tensor = 0;
      for (long i = 0; i < results.size(); ) {
        final int tag = (int) results.get(i++);
        switch (tag) {
          case NONE -> all.add(null);
          case TENSOR -> all.add(pool.own(new Tensor(tensors.get(tensor++))));
          case TENSORS -> {
            final int count = (int) results.get(i++);
            all.add(several(tensors, tensor, count));
            tensor += count;
          }
          case INT -> all.add(results.get(i++));
          case DOUBLE -> all.add(Double.longBitsToDouble(results.get(i++)));
          case BOOL -> all.add(results.get(i++) != 0);
          case INTS -> {
            final long[] ints = new long[(int) results.get(i++)];
            for (int k = 0; k < ints.length; k++) {
              ints[k] = results.get(i++);
            }
            all.add(ints);
          }
          default -> throw new IllegalStateException("a result of kind " + tag);
        }
      }
    }
    return all.isEmpty() ? null : all.size() == 1 ? all.get(0) : all.toArray();
  }

  private static PyError mismatch(
      String name,
      List<Schema> overloads,
      List<@Nullable Object> arguments,
      Map<String, @Nullable Object> keywords) {
    final StringBuilder got = new StringBuilder();
    arguments.forEach(a -> got.append(got.isEmpty() ? "" : ", ").append(Args.typeName(a)));
    keywords.forEach(
        (k, v) ->
            got.append(got.isEmpty() ? "" : ", ").append(k).append('=').append(Args.typeName(v)));
    final StringBuilder text =
        new StringBuilder(name)
            .append("() received an invalid combination of arguments - got (")
            .append(got)
            .append("), but expected one of:");
    for (final Schema schema : overloads) {
      text.append("\n * ").append(schema.text());
    }
    return new PyError("TypeError", text.toString());
  }
}
