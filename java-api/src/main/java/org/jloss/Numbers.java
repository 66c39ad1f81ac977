package org.jloss;

import java.util.Arrays;

/** An immutable row of numbers: a parameter that is one number or several, say quantiles. */
public final class Numbers {
  private final double[] values;

  private Numbers(double[] values) {
    this.values = values;
  }

  /**
   * These numbers, copied.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Numbers of(double... values) {
    if (values.length == 0) {
      throw new IllegalArgumentException("expected at least one number, got none");
    }
    return new Numbers(values.clone());
  }

  /** How many there are. */
  public int size() {
    return values.length;
  }

  /** The number at a position. */
  public double get(int index) {
    return values[index];
  }

  /** A copy of all. */
  public double[] toArray() {
    return values.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Numbers numbers && Arrays.equals(values, numbers.values);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(values);
  }

  @Override
  public String toString() {
    return values.length == 1 ? Double.toString(values[0]) : Arrays.toString(values);
  }
}
