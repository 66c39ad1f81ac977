package org.jloss.python;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Errors;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * The operators of libtorch's dispatcher. Scripts may call those of operators.txt and no others:
 * the table says why the rest is closed.
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
  private static final int GENERATOR = 14;
  private static final int COMPLEX = 15;

  // libtorch's numbers of device types.
  static final long CPU = 0;
  static final long META = 14;

  private static final List<String> PADDINGS =
      List.of(
          "reflection_pad1d",
          "reflection_pad2d",
          "reflection_pad3d",
          "replication_pad1d",
          "replication_pad2d",
          "replication_pad3d");

  /** By place and name, such as "m max", the lines of operators.txt. */
  private static final Map<String, List<String>> OPEN = new HashMap<>();

  private static final Map<String, Schema> SCHEMAS = new ConcurrentHashMap<>();

  static {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(NativeOps.class.getResourceAsStream("operators.txt")),
                StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("#")) {
          final int name = line.indexOf('\t', 2) + 1;
          final String key = line.charAt(0) + " " + line.substring(name, line.indexOf('(', name));
          OPEN.computeIfAbsent(key, k -> new ArrayList<>()).add(line.substring(2));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

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

  /**
   * An operator that scripts may call, or null.
   *
   * @param places where PyTorch has it, the first that has the name: t torch, m Tensor (a method),
   *     n torch.nn, f torch.fft, l torch.linalg, s torch.special
   */
  @Nullable PyOperator operator(String places, String name) {
    for (final char place : places.toCharArray()) {
      final List<String> lines = OPEN.get(place + " " + name);
      if (lines != null) {
        return new PyOperator(
            this, name, place == 'm', Signature.parseAll(lines.toArray(new String[0])));
      }
    }
    return null;
  }

  /** The names at a place. */
  static String[] names(String place) {
    return OPEN.keySet().stream()
        .filter(k -> k.startsWith(place + " "))
        .map(k -> k.substring(2))
        .toArray(String[]::new);
  }

  /** All that are open, by place and name. */
  static Map<String, List<String>> open() {
    return OPEN;
  }

  /** An overload by the dispatcher's name, such as "max.dim". */
  Schema schema(String target) {
    pool.load();
    final Schema known = SCHEMAS.get(target);
    if (known != null) {
      return known;
    }
    try (PointerScope scope = new PointerScope()) {
      final int dot = target.indexOf('.');
      Native.overloads("aten::" + (dot < 0 ? target : target.substring(0, dot)))
          .lines()
          .map(Schema::parse)
          .forEach(s -> SCHEMAS.put(s.target(), s));
    }
    final Schema found = SCHEMAS.get(target);
    if (found == null) {
      throw new PyError("NotImplementedError", "libtorch has no operator '" + target + "'");
    }
    return found;
  }

  /**
   * Calls an overload by the dispatcher's name, for the bridge itself.
   *
   * @param arguments the first ones in order; the others take their defaults
   */
  @Nullable Object call(String target, @Nullable Object... arguments) {
    final Schema schema = schema(target);
    final Object[] bound = new Object[schema.arguments().size()];
    Arrays.fill(bound, Arguments.ABSENT);
    System.arraycopy(arguments, 0, bound, 0, arguments.length);
    return run(schema, bound);
  }

  PyTensor tensor(String target, @Nullable Object... arguments) {
    return (PyTensor) Objects.requireNonNull(call(target, arguments));
  }

  /** The same data with a count of changes that begins anew. */
  PyTensor afresh(PyTensor tensor) {
    return pool.own(new Tensor(tensor.tensor().variable_data()));
  }

  /** An empty tensor. */
  PyTensor empty(List<?> shape, long dtype) {
    return tensor("empty.memory_format", shape, PyCode.dtype(dtype));
  }

  /**
   * Calls an overload.
   *
   * @param bound an argument each, {@link Arguments#ABSENT} for the default
   * @return a tensor, number, bool, null, or an array of them
   */
  @Nullable Object run(Schema schema, Object[] bound) {
    return new DefaultDtype(this, pool.defaultDtype()).run(schema, bound);
  }

  /** The same with libtorch's default dtype. */
  @Nullable Object runPlainly(Schema schema, Object[] bound) {
    if (schema.mutates()) {
      pool.makeRoom();
      return attempt(schema, bound);
    }
    return pool.allocate(() -> attempt(schema, bound));
  }

  /** The same without making room for it. */
  @Nullable Object attempt(Schema schema, Object[] bound) {
    final TensorVector tensors = VECTORS.get();
    tensors.clear();
    final Code code = new Code();
    checkPadding(schema.target(), bound);
    final boolean warned;
    final Object result;
    try {
      for (int i = 0; i < bound.length; i++) {
        encode(schema.arguments().get(i), bound[i], code, tensors);
      }
      final long returned;
      try {
        returned = Native.call(schema.number(), code.toArray(), tensors);
      } catch (RuntimeException e) {
        pool.warnBesideError();
        throw Errors.translate(e);
      }
      warned = returned >= Native.kWarned - 1; // -1 is a count too
      final long count = warned ? returned - Native.kWarned : returned;
      if (count == 1) {
        result =
            schema.mutates() && bound[0] instanceof PyTensor self
                ? self
                : pool.own(new Tensor(tensors.get(0)));
      } else {
        result = count < 0 ? decode(tensors) : several(tensors, 0, (int) count);
      }
    } finally {
      tensors.clear();
      // Keeps the arguments reachable until the native call has its own handles of them.
      java.lang.ref.Reference.reachabilityFence(bound);
    }
    if (warned) {
      pool.warn();
    }
    return result;
  }

  /** The padding operators read as many numbers as their name says, whatever they are given. */
  private static void checkPadding(String target, Object[] bound) {
    final int axes = PADDINGS.indexOf(target) % 3 + 1;
    if (axes > 0 && bound[1] instanceof List<?> padding && padding.size() != 2 * axes) {
      throw new PyError(
          "RuntimeError",
          target + ": expected padding of " + 2 * axes + " numbers, got " + padding.size());
    }
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

  private void encode(
      Schema.Argument argument, @Nullable Object value, Code code, TensorVector tensors) {
    if (value == Arguments.ABSENT) {
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
      case SCALAR, INT, FLOAT, BOOL:
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
      case CODE:
        code.add(INT, ((PyCode) value).code());
        break;
      case DEVICE:
        code.add(DEVICE, ((PyCode) value).code());
        break;
      case GENERATOR:
        code.add(GENERATOR);
        tensors.push_back(((PyGenerator) value).state().tensor());
        break;
      default:
        throw new PyError("NotImplementedError", argument.name() + " is not supported");
    }
  }

  private static void number(Object value, Code code) {
    if (value instanceof Boolean bool) {
      code.add(BOOL, bool ? 1 : 0);
    } else if (value instanceof Long number) {
      code.add(INT, number);
    } else if (value instanceof Args.Complex number) {
      code.add(COMPLEX, Double.doubleToRawLongBits(number.real()));
      code.add(Double.doubleToRawLongBits(number.imag()));
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
}
