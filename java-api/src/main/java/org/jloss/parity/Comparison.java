package org.jloss.parity;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether a result is PyTorch's.
 *
 * <p>An element passes if it differs by at most atol + rtol times the expected number; NaN passes
 * for NaN, and infinities must be the same. A gradient is compared after both sides have been
 * multiplied by the normaliser, the number that the loss's reduction divides by. Besides, no
 * element of it may differ by more than {@link Tolerance#ofLargest()} times its largest expected
 * element: a mean's gradient is small enough to hide in atol otherwise, and a self-test shows that
 * it cannot.
 *
 * @param output the result's name: {@code value}, {@code output/...}, {@code grad/...} or {@code
 *     gradgrad/...}
 * @param passed whether it is PyTorch's
 * @param reason why not, in a line; empty if it passed
 * @param maxAbsolute the largest difference; infinite where only one side is finite
 * @param maxRelative the largest difference as a part of the expected number, over those not zero
 * @param maxUlp the largest difference in units of one ULP, in the result's dtype, of the largest
 *     expected number; for integers the difference itself
 * @param worstIndex the index of the element that is closest to or farthest beyond what is allowed;
 *     empty for a scalar, and where there was nothing to compare
 */
public record Comparison(
    String output,
    boolean passed,
    String reason,
    double maxAbsolute,
    double maxRelative,
    double maxUlp,
    List<Long> worstIndex) {

  /** Makes the index unmodifiable. */
  public Comparison {
    worstIndex = List.copyOf(worstIndex);
  }

  /**
   * {@return the comparison of an output}
   *
   * @param output its name
   * @param expected PyTorch's
   * @param actual the one under test, or null if it did not come
   * @param tolerance what is allowed
   */
  public static Comparison ofOutput(
      String output, TensorEntry expected, @Nullable TensorEntry actual, Tolerance tolerance) {
    return of(output, expected, actual, tolerance, 1, false);
  }

  /**
   * {@return the comparison of a gradient}
   *
   * @param output its name
   * @param expected PyTorch's
   * @param actual the one under test, or null if it did not come
   * @param tolerance what is allowed
   * @param normaliser the number that the reduction divides by; 0, as of an empty mean, counts as 1
   * @throws IllegalArgumentException if the normaliser is negative or not finite
   */
  public static Comparison ofGradient(
      String output,
      TensorEntry expected,
      @Nullable TensorEntry actual,
      Tolerance tolerance,
      double normaliser) {
    if (!(normaliser >= 0 && normaliser <= Double.MAX_VALUE)) {
      throw new IllegalArgumentException("a normaliser cannot be " + normaliser);
    }
    return of(output, expected, actual, tolerance, normaliser == 0 ? 1 : normaliser, true);
  }

  /**
   * {@return the comparisons of all that a case expects}
   *
   * @param reference the case
   * @param actual the results under test, by name
   * @param normaliser the number that the case's reduction divides by
   */
  public static List<Comparison> of(
      ReferenceCase reference, Map<String, TensorEntry> actual, double normaliser) {
    final List<Comparison> comparisons = new ArrayList<>();
    reference
        .expected()
        .forEach(
            (output, expected) -> {
              final TensorEntry came = actual.get(output);
              final Tolerance tolerance = reference.tolerance(expected.dtype());
              comparisons.add(
                  reference.outputs().containsKey(output)
                      ? ofOutput(output, expected, came, tolerance)
                      : ofGradient(output, expected, came, tolerance, normaliser));
            });
    return List.copyOf(comparisons);
  }

  /**
   * Shows that a case's gradients are compared sharply enough: each expected gradient passes as it
   * is, and fails when it is made zero, halved, negated, enlarged by 1 %, or when a single element
   * is changed by 1 % of the largest. In bfloat16, which knows no smaller steps than 0.8 %, it is 8
   * units of eps instead. Gradients of zeros and non-finite numbers alone are left out, and so is a
   * change that rounding undoes, as it does beside the smallest of all numbers.
   *
   * @param reference the case
   * @return how many corrupted gradients were tried
   * @throws AssertionError if one of them passed; the message names all that did
   */
  public static int selfTest(ReferenceCase reference) {
    int tried = 0;
    final List<String> problems = new ArrayList<>();
    for (final Map.Entry<String, TensorEntry> entry : reference.expected().entrySet()) {
      final String output = entry.getKey();
      final TensorEntry expected = entry.getValue();
      if (reference.outputs().containsKey(output) || !expected.dtype().isFloating()) {
        continue;
      }
      final Tolerance tolerance = reference.tolerance(expected.dtype());
      final double[] values = expected.toDoubles();
      if (!of(output, expected, values, values, tolerance, 1, true).passed) {
        problems.add(output + " fails against itself");
      }
      for (final Map.Entry<String, double[]> wrong : corrupt(expected.dtype(), values).entrySet()) {
        tried++;
        if (of(output, expected, values, wrong.getValue(), tolerance, 1, true).passed) {
          problems.add(output + " passes " + wrong.getKey());
        }
      }
    }
    if (!problems.isEmpty()) {
      final Tolerance stated = reference.statedTolerance();
      throw new AssertionError(
          reference
              + ": the comparison is not sharp: "
              + String.join(", ", problems)
              + (stated == null ? "" : "; " + stated));
    }
    return tried;
  }

  /** Wrong gradients by what is wrong with them; none that rounding has made right again. */
  private static Map<String, double[]> corrupt(DType dtype, double[] values) {
    final double largest = largest(values);
    if (largest == 0) {
      return Map.of();
    }
    final double step = dtype == DType.BF16 ? 8 * dtype.eps() : 0.01;
    final Map<String, double[]> wrong = new LinkedHashMap<>();
    wrong.put("as zero", map(values, x -> 0));
    wrong.put("halved", map(values, x -> x / 2));
    wrong.put("negated", map(values, x -> -x));
    wrong.put("enlarged", map(values, x -> x * (1 + step)));
    // The smallest element is the one whose change is easiest to miss.
    int smallest = -1;
    for (int i = 0; i < values.length; i++) {
      if (Double.isFinite(values[i])
          && (smallest < 0 || Math.abs(values[i]) < Math.abs(values[smallest]))) {
        smallest = i;
      }
    }
    final double[] one = values.clone();
    one[smallest] += step * largest;
    wrong.put("with one element changed", one);
    wrong.values().removeIf(changed -> Arrays.equals(changed, values));
    return wrong;
  }

  private static double[] map(double[] values, DoubleUnaryOperator function) {
    return Arrays.stream(values).map(function).toArray();
  }

  private static Comparison of(
      String output,
      TensorEntry expected,
      @Nullable TensorEntry actual,
      Tolerance tolerance,
      double normaliser,
      boolean isGradient) {
    String problem = null;
    if (actual == null) {
      problem = "did not come";
    } else if (actual.dtype() != expected.dtype()) {
      problem = mismatch("dtype", expected.dtype().torchName(), actual.dtype().torchName());
    } else if (!Arrays.equals(actual.shape(), expected.shape())) {
      problem =
          mismatch("shape", Arrays.toString(expected.shape()), Arrays.toString(actual.shape()));
    } else if (!expected.dtype().isFloating()) {
      return ofIntegers(output, expected, expected.toLongs(), actual.toLongs());
    } else {
      return of(
          output,
          expected,
          expected.toDoubles(),
          actual.toDoubles(),
          tolerance,
          normaliser,
          isGradient);
    }
    final double unknown = Double.POSITIVE_INFINITY;
    return new Comparison(output, false, problem, unknown, unknown, unknown, List.of());
  }

  private static String mismatch(String what, String expected, String actual) {
    return "expected " + what + " " + expected + ", came " + actual;
  }

  private static Comparison ofIntegers(
      String output, TensorEntry entry, long[] expected, long[] actual) {
    long wrong = 0;
    int worst = -1;
    double largest = 0;
    double relative = 0;
    for (int i = 0; i < expected.length; i++) {
      if (expected[i] == actual[i]) {
        continue;
      }
      wrong++;
      final double difference = Math.abs((double) actual[i] - expected[i]);
      if (expected[i] != 0) {
        relative = Math.max(relative, difference / Math.abs((double) expected[i]));
      }
      if (worst < 0 || difference > largest) {
        largest = difference;
        worst = i;
      }
    }
    final List<Long> index = index(worst, entry.shape());
    final String reason =
        wrong == 0
            ? ""
            : String.format(
                "%d of %d elements differ; worst%s: expected %d, came %d",
                wrong, expected.length, at(index), expected[worst], actual[worst]);
    return new Comparison(output, wrong == 0, reason, largest, relative, largest, index);
  }

  private static Comparison of(
      String output,
      TensorEntry entry,
      double[] expected,
      double[] actual,
      Tolerance tolerance,
      double normaliser,
      boolean isGradient) {
    final double largest = largest(expected);
    final double atol = tolerance.atol() / normaliser;
    double maxAbsolute = 0;
    double maxRelative = 0;
    double worstExcess = -1;
    int worst = -1;
    long beyondElement = 0;
    long beyondLargest = 0;
    for (int i = 0; i < expected.length; i++) {
      final double b = expected[i];
      final double difference = difference(b, actual[i]);
      maxAbsolute = Math.max(maxAbsolute, difference);
      if (b != 0 && difference > 0) {
        maxRelative = Math.max(maxRelative, relative(difference, b));
      }
      double allowed = atol + tolerance.rtol() * (Double.isFinite(b) ? Math.abs(b) : 0);
      if (difference > allowed) {
        beyondElement++;
      }
      if (isGradient) {
        final double ofLargest = tolerance.ofLargest() * largest;
        if (difference > ofLargest) {
          beyondLargest++;
        }
        allowed = Math.min(allowed, ofLargest);
      }
      final double excess = difference == 0 ? 0 : difference / allowed;
      if (excess > worstExcess) {
        worstExcess = excess;
        worst = i;
      }
    }
    final List<Long> index = index(worst, entry.shape());
    final List<String> problems = new ArrayList<>();
    if (beyondElement > 0) {
      problems.add(
          String.format(
              Locale.ROOT,
              "%d of %d elements differ by more than rtol %.3g, atol %.3g%s",
              beyondElement,
              expected.length,
              tolerance.rtol(),
              tolerance.atol(),
              normaliser == 1 ? "" : String.format(Locale.ROOT, " (times %.9g)", normaliser)));
    }
    if (beyondLargest > 0) {
      problems.add(
          String.format(
              Locale.ROOT,
              "%d of %d elements differ by more than %.3g of the largest, %.3g",
              beyondLargest,
              expected.length,
              tolerance.ofLargest(),
              largest));
    }
    if (!problems.isEmpty()) {
      problems.add(
          "worst" + at(index) + ": expected " + expected[worst] + ", came " + actual[worst]);
    }
    return new Comparison(
        output,
        problems.isEmpty(),
        String.join("; ", problems),
        maxAbsolute,
        maxRelative,
        inUlp(entry.dtype(), maxAbsolute, largest > 0 ? largest : largest(actual)),
        index);
  }

  /** Zero for what is the same, infinite for what is not and has no distance. */
  private static double difference(double expected, double actual) {
    if (expected == actual || Double.isNaN(expected) && Double.isNaN(actual)) {
      return 0;
    }
    final double difference = Math.abs(actual - expected);
    return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
  }

  private static double relative(double difference, double expected) {
    return Double.isInfinite(difference) ? difference : difference / Math.abs(expected);
  }

  private static double inUlp(DType dtype, double difference, double size) {
    return difference == 0 ? 0 : difference / dtype.ulp(size);
  }

  /** The largest magnitude among the finite numbers; 0 if there is none. */
  private static double largest(double[] values) {
    double largest = 0;
    for (final double x : values) {
      if (Double.isFinite(x)) {
        largest = Math.max(largest, Math.abs(x));
      }
    }
    return largest;
  }

  private static List<Long> index(int element, long[] shape) {
    if (element < 0) {
      return List.of();
    }
    final Long[] index = new Long[shape.length];
    long rest = element;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    return List.of(index);
  }

  private static String at(List<Long> index) {
    return index.isEmpty()
        ? ""
        : index.stream().map(String::valueOf).collect(Collectors.joining(", ", " at (", ")"));
  }
}
