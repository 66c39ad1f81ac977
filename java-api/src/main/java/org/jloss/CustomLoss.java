package org.jloss;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * A loss of one's own with a gradient of its own, for what autograd would compute slowly, inexactly
 * or not at all.
 *
 * <p>Exceptions of both methods reach the caller of {@link Loss#apply} and of {@link
 * Autograd#backward(Tensor)} as they were thrown. (The preset's own {@code Tensor.backward()} turns
 * them into a RuntimeException with their text.)
 */
public interface CustomLoss extends Loss {

  /** The value; called without grad mode. */
  Tensor forward(@Nullable Tensor[] inputs);

  /**
   * The gradients of {@code sum(upstream * value)}, one an input, null where there is none. Called
   * on the thread that runs the backward pass. Where the caller wants second derivatives it is
   * called in grad mode, and its tensor operations are differentiated.
   */
  @Nullable Tensor[] backward(@Nullable Tensor[] inputs, Tensor upstream);

  @Override
  default Tensor compute(@Nullable Tensor[] inputs, @Nullable TensorVector gradients) {
    return Callbacks.compute(this, inputs, gradients);
  }
}
