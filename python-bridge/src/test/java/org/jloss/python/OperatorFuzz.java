package org.jloss.python;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jloss.Autograd;

/**
 * Calls every operator that scripts may call with small hostile arguments, in a JVM of its own, and
 * tells the last call in a file, as the JVM may not live to print it.
 */
final class OperatorFuzz {
  private static final long[] INTS = {
    Long.MIN_VALUE,
    -(1L << 62),
    -(1L << 32),
    Integer.MIN_VALUE,
    -7,
    -2,
    -1,
    0,
    1,
    2,
    3,
    4,
    5,
    8,
    Integer.MAX_VALUE,
    1L << 31,
    1L << 32,
    1L << 33,
    1L << 62,
    Long.MAX_VALUE
  };
  private static final double[] DOUBLES = {
    Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -1, 0, 1, 2, 0.5, 1e308, 1e-300
  };
  private static final String[] TEXTS = {
    "",
    "none",
    "mean",
    "sum",
    "floor",
    "trunc",
    "reflect",
    "constant",
    "replicate",
    "circular",
    "ij",
    "xy",
    "ij,jk->ik",
    "...i->i",
    "i,i->",
    "a->\0",
    "fro",
    "nuc",
    "linear",
    "gelsd",
    "left",
    "right",
    "tanh",
    "L",
    "reduced",
    "complete",
    "amax",
    "prod",
    "backward",
    "ortho"
  };
  private static final long[][] SHAPES = {
    {},
    {0},
    {1},
    {2},
    {3},
    {4},
    {2, 3},
    {3, 3},
    {3, 2},
    {0, 3},
    {3, 0},
    {2, 2, 3},
    {1, 3, 3},
    {2, 0, 3},
    {1, 2, 4, 4},
    {2, 4, 4, 2},
    {0, 2, 4, 4},
    {1, 1, 3, 3, 3}
  };
  // float32 most often, as that gets deepest.
  private static final long[] DTYPES = {6, 6, 6, 6, 7, 4, 4, 3, 0, 1, 2, 11, 5, 15, 9, 10, 8};

  private final NativeOps ops;
  private final Random random;

  private OperatorFuzz(NativeOps ops, Random random) {
    this.ops = ops;
    this.random = random;
  }

  /** Arguments: a seed, how many calls an overload, the file, a pattern of names, names to skip. */
  public static void main(String[] arguments) throws Exception {
    final long seed = Long.parseLong(arguments[0]);
    final int calls = Integer.parseInt(arguments[1]);
    final Path file = Path.of(arguments[2]);
    final String pattern = arguments.length > 3 ? arguments[3] : ".*";
    final Set<String> skip = new TreeSet<>();
    if (arguments.length > 4) {
      skip.addAll(List.of(arguments[4].split(",")));
    }
    long done = 0;
    long succeeded = 0;
    try (TensorPool pool = new TensorPool(256 << 20)) {
      pool.load();
      torch.set_num_threads(1);
      pool.enter();
      final NativeOps ops = new NativeOps(pool);
      final Set<String> targets = new TreeSet<>();
      NativeOps.open()
          .values()
          .forEach(lines -> lines.forEach(l -> targets.add(l.substring(0, l.indexOf('\t')))));
      for (final String target : targets) {
        if (!target.matches(pattern) || skip.contains(target)) {
          continue;
        }
        final OperatorFuzz fuzz = new OperatorFuzz(ops, new Random(seed ^ target.hashCode()));
        final long start = System.nanoTime();
        for (int i = 0; i < calls; i++) {
          succeeded += fuzz.call(target, file) ? 1 : 0;
          done++;
        }
        final long millis = (System.nanoTime() - start) / 1_000_000;
        if (millis > 2000) {
          System.out.println("slow: " + target + " " + millis + " ms");
        }
        pool.makeRoom();
      }
    }
    System.out.println("lived: " + done + " calls, " + succeeded + " succeeded");
  }

  private boolean call(String target, Path file) throws Exception {
    final Schema schema = ops.schema(target);
    final Object[] bound = new Object[schema.arguments().size()];
    for (int i = 0; i < bound.length; i++) {
      bound[i] = argument(schema.arguments().get(i));
    }
    Files.write(file, (target + " " + text(Arrays.asList(bound))).getBytes(StandardCharsets.UTF_8));
    try {
      final Object result = ops.attempt(schema, bound);
      differentiate(result);
      return true;
    } catch (RuntimeException | OutOfMemoryError e) {
      return false;
    }
  }

  private void differentiate(Object result) {
    if (result instanceof PyTensor tensor && tensor.requiresGrad() && !tensor.isMeta()) {
      final Tensor value = tensor.tensor();
      Autograd.backward((value.is_complex() ? torch.view_as_real(value) : value).sum());
    } else if (result instanceof Object[] several && several.length > 0) {
      differentiate(several[0]);
    }
  }

  private Object argument(Schema.Argument argument) {
    if (argument.hasDefault() && random.nextInt(3) > 0) {
      return Arguments.ABSENT;
    }
    if (argument.optional() && random.nextInt(3) == 0) {
      return null;
    }
    switch (argument.kind()) {
      case TENSOR:
        return tensor();
      case TENSORS:
        return list(1 + random.nextInt(3), true);
      case OPTIONAL_TENSORS:
        return list(random.nextInt(4), true);
      case SCALAR:
        return switch (random.nextInt(3)) {
          case 0 -> integer();
          case 1 -> DOUBLES[random.nextInt(DOUBLES.length)];
          default -> random.nextBoolean();
        };
      case INT:
        return integer();
      case FLOAT:
        return DOUBLES[random.nextInt(DOUBLES.length)];
      case BOOL:
        return random.nextBoolean();
      case INTS:
        return list(random.nextInt(6), false);
      case FLOATS:
        final List<Object> floats = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
          floats.add(DOUBLES[random.nextInt(DOUBLES.length)]);
        }
        return floats;
      case BOOLS:
        final List<Object> bools = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
          bools.add(random.nextBoolean());
        }
        return bools;
      case TEXT:
        return TEXTS[random.nextInt(TEXTS.length)];
      case CODE:
        return argument.name().equals("layout")
            ? new PyCode(PyCode.Kind.LAYOUT, 0)
            : argument.name().equals("memory_format")
                ? new PyCode(PyCode.Kind.MEMORY_FORMAT, random.nextInt(4))
                : PyCode.dtype(DTYPES[random.nextInt(DTYPES.length)]);
      case DEVICE:
        return new PyCode(
            PyCode.Kind.DEVICE, random.nextInt(4) == 0 ? NativeOps.META : NativeOps.CPU);
      default:
        return Arguments.ABSENT;
    }
  }

  private long integer() {
    // Half of them plausible: others are refused before they get deep.
    return random.nextBoolean() ? random.nextInt(5) - 1 : INTS[random.nextInt(INTS.length)];
  }

  private List<Object> list(int count, boolean tensors) {
    final List<Object> all = new ArrayList<>();
    final boolean plausible = random.nextBoolean();
    for (int i = 0; i < count; i++) {
      all.add(tensors ? tensor() : plausible ? (Object) (1L + random.nextInt(4)) : integer());
    }
    return all;
  }

  private PyTensor tensor() {
    while (true) {
      try {
        return draw();
      } catch (RuntimeException e) {
        // A number that the dtype does not hold: another.
      }
    }
  }

  private PyTensor draw() {
    final long[] shape = SHAPES[random.nextInt(SHAPES.length)];
    final List<Object> sizes = new ArrayList<>();
    for (final long size : shape) {
      sizes.add(size);
    }
    final long dtype = DTYPES[random.nextInt(DTYPES.length)];
    final boolean floating = dtype == 6 || dtype == 7 || dtype == 5 || dtype == 15;
    PyTensor made = ops.tensor("zeros", sizes, PyCode.dtype(floating ? dtype : 4));
    switch (random.nextInt(6)) {
      case 0 -> ops.call("fill_.Scalar", made, floating ? 1e30 : (Object) integer());
      case 1 -> ops.call("fill_.Scalar", made, integer());
      case 2 -> {
        ops.call("fill_.Scalar", made, 1L);
        if (made.numel() > 0) {
          ops.call(
              "fill_.Scalar",
              ops.tensor("select.int", ops.tensor("view", made, List.of(-1L)), 0L, 0L),
              floating ? (Object) DOUBLES[random.nextInt(DOUBLES.length)] : integer());
        }
      }
      case 3 -> ops.call("random_.from", made, 0L, 3L);
      default -> ops.call("random_.from", made, floating ? -3L : 0L, 4L);
    }
    if (dtype != made.dtype()) {
      made = ops.tensor("to.dtype", made, PyCode.dtype(dtype));
    }
    switch (random.nextInt(12)) {
      case 0 -> made = made.dim() > 1 ? ops.tensor("transpose.int", made, 0L, 1L) : made;
      case 1 ->
          made =
              made.dim() > 0 && made.shape()[0] == 1
                  ? ops.tensor("expand", made, expanded(made))
                  : made;
      case 2 -> {
        if (floating) {
          made.requireGrad(true);
        }
      }
      case 3 -> {
        if (floating) {
          made.requireGrad(true);
          made = ops.tensor("mul.Scalar", made, 1L);
        }
      }
      case 4 -> {
        if (random.nextInt(4) == 0) {
          made =
              ops.tensor(
                  "to.device",
                  made,
                  new PyCode(PyCode.Kind.DEVICE, NativeOps.META),
                  PyCode.dtype(dtype));
        }
      }
      default -> {}
    }
    return made;
  }

  private static List<Object> expanded(PyTensor tensor) {
    final List<Object> sizes = new ArrayList<>();
    for (final long size : tensor.shape()) {
      sizes.add(size);
    }
    sizes.set(0, 3L);
    return sizes;
  }

  private static String text(Iterable<?> values) {
    final StringBuilder text = new StringBuilder("(");
    for (final Object value : values) {
      if (value instanceof PyTensor t) {
        text.append("tensor").append(Arrays.toString(t.shape())).append(':').append(t.dtype());
        if (t.numel() > 0 && t.numel() < 10 && !t.isMeta() && t.dtype() < 8) {
          final Tensor first = Objects.requireNonNull(t.tensor()).detach();
          text.append('=').append(first.reshape(-1).select(0, 0).item().toDouble());
          first.close();
        }
      } else if (value instanceof List<?> list) {
        text.append(text(list));
      } else {
        text.append(value == Arguments.ABSENT ? "-" : String.valueOf(value));
      }
      text.append(", ");
    }
    return text.append(')').toString();
  }
}
