package org.jloss;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** Immutable factors, one a class (or one for all), that a loss holds as a parameter. */
public final class ClassWeights {
  private final double[] values;
  private final boolean scalar;
  private final Map<ScalarType, Tensor> tensors = new ConcurrentHashMap<>();

  private ClassWeights(double[] values, boolean scalar) {
    this.values = values;
    this.scalar = scalar;
  }

  /**
   * These factors, copied; the first is that of class 0.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static ClassWeights of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("expected at least one class weight, got none");
    }
    return new ClassWeights(values.clone(), false);
  }

  /** One factor for all classes: a scalar tensor, not a vector of one. */
  public static ClassWeights ofAll(double value) {
    return new ClassWeights(new double[] {value}, true);
  }

  /** How many factors there are. */
  public int size() {
    return values.length;
  }

  /** Whether one factor stands for all classes. */
  public boolean isScalar() {
    return scalar;
  }

  /** The factor of a class. */
  public double get(int index) {
    return values[index];
  }

  /** A copy of all. */
  public double[] toArray() {
    return values.clone();
  }

  /** The factors as a CPU tensor, made once a dtype and kept; the caller does not close it. */
  Tensor tensor(ScalarType dtype) {
    return tensors.computeIfAbsent(
        dtype,
        d ->
            Tensors.ofDoubles(values, d, scalar ? new long[0] : new long[] {values.length})
                .retainReference());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ClassWeights weights
        && scalar == weights.scalar
        && Arrays.equals(values, weights.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return scalar ? Double.toString(values[0]) : Arrays.toString(values);
  }
}
