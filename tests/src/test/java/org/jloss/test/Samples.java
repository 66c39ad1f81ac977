package org.jloss.test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.annotation.Domain;

/** Random inputs of any loss, made from its specification. */
final class Samples {
  /** Sizes of the letters in shapes; {@code *} is the spatial axes. */
  record Sizes(Map<String, Long> letters, long... spatial) {
    static final Sizes SMALL = of(4, 3, 2);
    static final Sizes LARGE = of(260, 37, 211);

    static Sizes of(long batch, long classes, long... spatial) {
      return new Sizes(
          Map.of(
              "N",
              batch,
              "C",
              classes,
              "D",
              classes * 5,
              "K",
              batch + 3,
              "M",
              batch,
              "T",
              classes,
              "Q",
              1L),
          spatial);
    }
  }

  private Samples() {}

  /** The losses among the systems, the fusions included. */
  static Stream<Spec> losses() {
    return Losses.all().stream().filter(s -> Loss.class.isAssignableFrom(s.type()));
  }

  /** All inputs of a loss, optional ones too if asked for, else null. */
  static Tensor[] inputs(Spec spec, Sizes sizes, ScalarType dtype, boolean optional, long seed) {
    final Random random = new Random(seed);
    return spec.inputs().stream()
        .map(i -> i.optional() && !optional ? null : input(i, sizes, dtype, random))
        .toArray(Tensor[]::new);
  }

  /** One input. */
  static Tensor input(Spec.InputSpec input, Sizes sizes, ScalarType dtype, Random random) {
    final long[] shape = shape(input, sizes);
    final int n = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    final Domain domain = input.domain();
    if (domain == Domain.CLASS_INDEX
        || domain == Domain.CLASS_INDEX_OR_SIMPLEX
        || domain == Domain.LABEL) {
      final long classes = domain == Domain.LABEL ? 3 : sizes.letters().get("C");
      return Tensors.of(random.longs(n, 0, classes).toArray(), shape);
    }
    final double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] =
          switch (domain) {
            case PROBABILITY, SIMPLEX -> 0.05 + 0.9 * random.nextDouble();
            case LOG_PROBABILITY -> Math.log(0.05 + 0.9 * random.nextDouble());
            case BINARY -> random.nextInt(2);
            case SIGN -> random.nextInt(2) * 2 - 1;
            case WEIGHT -> 0.5 + random.nextDouble();
            case LOGITS -> 3 * random.nextGaussian();
            default -> random.nextGaussian();
          };
    }
    try (Tensor doubles = Tensors.of(values, shape)) {
      return doubles.to(dtype);
    }
  }

  /**
   * The first alternative of an input's shape; of an input of space alone one axis more for size.
   */
  static long[] shape(Spec.InputSpec input, Sizes sizes) {
    final List<Long> shape = new ArrayList<>();
    final String alternative = input.shape().split("\\|")[0];
    if (alternative.equals("*")) {
      shape.add(sizes.letters().get("N"));
      shape.add(sizes.letters().get("C"));
    }
    for (final String axis : alternative.split(",")) {
      if (axis.equals("*")) {
        Arrays.stream(sizes.spatial()).forEach(shape::add);
      } else if (!axis.equals("()")) {
        shape.add(sizes.letters().get(axis));
      }
    }
    return shape.stream().mapToLong(Long::longValue).toArray();
  }
}
