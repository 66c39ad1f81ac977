package org.jloss;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A loss's value and gradients as arrays.
 *
 * @param spec the loss
 * @param value the value
 * @param gradients one an input, null where there is none
 */
public record ArrayGradients(Spec spec, NdArray value, List<@Nullable NdArray> gradients) {

  /** The value as a number. */
  public double item() {
    return value.item();
  }

  /** The gradient of an input by name, null where there is none. */
  public @Nullable NdArray gradient(String input) {
    final int index = spec.indexOf(input);
    if (index < 0) {
      throw new IllegalArgumentException(
          spec.id() + ": expected an input's name, one of " + spec.inputNames() + ", got " + input);
    }
    return gradients.get(index);
  }

  @Override
  public String toString() {
    return spec.id() + ": value " + value + ", gradients " + gradients;
  }
}
