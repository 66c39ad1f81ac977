package org.jloss;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * A loss's value and gradients. Closing it closes them all; to keep one, copy the handle by {@code
 * new Tensor(result.gradient(0))}, which copies no data. A gradient may outlive a result that was
 * not closed.
 */
public final class ValueAndGradient implements AutoCloseable {
  private final Spec spec;
  private final Tensor value;
  private final TensorVector gradients;
  private final Handles handles;

  ValueAndGradient(Spec spec, Tensor value, TensorVector gradients) {
    this.spec = spec;
    this.value = value;
    this.gradients = gradients;
    this.handles = new Handles(gradients);
  }

  /** The value. Open as long as this is. */
  public Tensor value() {
    check(value.isNull());
    return value;
  }

  /** The value as a number; for reduction none an error. */
  public double item() {
    final Tensor number = value();
    if (number.numel() != 1) {
      throw new IllegalArgumentException(
          spec.id()
              + ": expected a value of one element, got shape "
              + Arrays.toString(number.shape()));
    }
    return Tensors.item(number);
  }

  /** The gradient of the first input. */
  public Tensor gradient() {
    final Tensor first = gradient(0);
    if (first == null) {
      throw new IllegalStateException(spec.id() + ": the first input has no gradient");
    }
    return first;
  }

  /** The gradient of an input by position, null where there is none. Open as long as this is. */
  public @Nullable Tensor gradient(int input) {
    check(gradients.isNull());
    if (input < 0 || input >= spec.inputs().size()) {
      throw new IndexOutOfBoundsException(
          spec.id()
              + ": expected an input's position from 0 to "
              + (spec.inputs().size() - 1)
              + ", got "
              + input);
    }
    final Tensor gradient = handles.get(input);
    return gradient.defined() ? gradient : null;
  }

  /** The gradient of an input by name, null where there is none. */
  public @Nullable Tensor gradient(String input) {
    final int index = spec.indexOf(input);
    if (index < 0) {
      throw new IllegalArgumentException(
          spec.id() + ": expected an input's name, one of " + spec.inputNames() + ", got " + input);
    }
    return gradient(index);
  }

  private void check(boolean closed) {
    if (closed) {
      throw new IllegalStateException(spec.id() + ": expected an open result, got a closed one");
    }
  }

  @Override
  public String toString() {
    return spec.id()
        + (value.isNull() ? ": closed" : ": value of shape " + Arrays.toString(value.shape()));
  }

  @Override
  public void close() {
    value.close();
    handles.close();
  }
}
