package org.jloss.parity;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * How far jloss and PyTorch each are from the float64 result of the same inputs. The unit is one
 * ULP, in the dtype of the result, of the largest element of each result: so a gradient's elements
 * that are next to nothing beside the others do not drown the rest.
 *
 * @param count the number of elements measured; those that are not finite in all three are left out
 * @param maxOfActual jloss's largest error
 * @param rmsOfActual jloss's root mean square error
 * @param maxOfExpected PyTorch's largest error
 * @param rmsOfExpected PyTorch's root mean square error
 */
public record TruthErrors(
    long count,
    double maxOfActual,
    double rmsOfActual,
    double maxOfExpected,
    double rmsOfExpected) {

  /** The errors where nothing has been measured. */
  public static final TruthErrors NONE = new TruthErrors(0, 0, 0, 0, 0);

  /**
   * {@return the errors of one result}
   *
   * @param truth the float64 result
   * @param expected PyTorch's result
   * @param actual jloss's result, of the same shape
   */
  public static TruthErrors of(TensorEntry truth, TensorEntry expected, TensorEntry actual) {
    if (!expected.dtype().isFloating()) {
      return NONE;
    }
    return of(expected.dtype(), truth.toDoubles(), expected.toDoubles(), actual.toDoubles());
  }

  private static TruthErrors of(DType dtype, double[] truth, double[] expected, double[] actual) {
    double largest = 0;
    for (final double x : truth) {
      if (Double.isFinite(x)) {
        largest = Math.max(largest, Math.abs(x));
      }
    }
    final double unit = dtype.ulp(largest);
    long count = 0;
    double maxOfActual = 0;
    double maxOfExpected = 0;
    double squaresOfActual = 0;
    double squaresOfExpected = 0;
    for (int i = 0; i < truth.length; i++) {
      final double errorOfActual = Math.abs(actual[i] - truth[i]) / unit;
      final double errorOfExpected = Math.abs(expected[i] - truth[i]) / unit;
      if (!Double.isFinite(errorOfActual + errorOfExpected)) {
        continue;
      }
      count++;
      maxOfActual = Math.max(maxOfActual, errorOfActual);
      maxOfExpected = Math.max(maxOfExpected, errorOfExpected);
      squaresOfActual += errorOfActual * errorOfActual;
      squaresOfExpected += errorOfExpected * errorOfExpected;
    }
    if (count == 0) {
      return NONE;
    }
    return new TruthErrors(
        count,
        maxOfActual,
        Math.sqrt(squaresOfActual / count),
        maxOfExpected,
        Math.sqrt(squaresOfExpected / count));
  }

  /**
   * {@return the errors of all results of a case for which the case has the truth}
   *
   * @param reference the case
   * @param actual jloss's results by name; those missing or of another shape are left out
   */
  public static TruthErrors of(ReferenceCase reference, Map<String, TensorEntry> actual) {
    TruthErrors errors = NONE;
    final Map<String, TensorEntry> expected = reference.expected();
    for (final Map.Entry<String, TensorEntry> entry : reference.truth().entrySet()) {
      final TensorEntry ours = actual.get(entry.getKey());
      final TensorEntry theirs = expected.get(entry.getKey());
      if (ours != null && theirs != null && Arrays.equals(ours.shape(), theirs.shape())) {
        errors = errors.and(of(entry.getValue(), theirs, ours));
      }
    }
    return errors;
  }

  /**
   * {@return the errors over these results and others}
   *
   * @param other the errors of the others
   */
  public TruthErrors and(TruthErrors other) {
    if (other.count == 0) {
      return this;
    }
    final double weight = (double) other.count / (count + other.count);
    return new TruthErrors(
        count + other.count,
        Math.max(maxOfActual, other.maxOfActual),
        rootMean(rmsOfActual, other.rmsOfActual, weight),
        Math.max(maxOfExpected, other.maxOfExpected),
        rootMean(rmsOfExpected, other.rmsOfExpected, weight));
  }

  private static double rootMean(double a, double b, double weightOfB) {
    return Math.sqrt(a * a * (1 - weightOfB) + b * b * weightOfB);
  }

  /**
   * {@return whether jloss's largest and root mean square errors are at most PyTorch's plus one
   * ULP}
   */
  public boolean isAsAccurate() {
    return maxOfActual <= maxOfExpected + 1 && rmsOfActual <= rmsOfExpected + 1;
  }

  /** {@return both sides' errors in words} */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "error against float64 in ULP: largest %.3g (PyTorch's %.3g), rms %.3g (PyTorch's %.3g)",
        maxOfActual,
        maxOfExpected,
        rmsOfActual,
        rmsOfExpected);
  }
}
