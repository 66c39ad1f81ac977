package org.jloss;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * A loss of one's own with a gradient of its own, for what autograd would compute slowly, inexactly
 * or not at all.
 *
 * <pre>{@code
 * @Definition(id = "half_square", formula = "x^2 / 2", source = "mine")
 * @Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
 * public record HalfSquare() implements CustomLoss {
 *   public Tensor forward(Tensor[] in) {
 *     return in[0].square().sum().div(new Scalar(2));
 *   }
 *
 *   public Tensor[] backward(Tensor[] in, Tensor upstream) {
 *     return new Tensor[] {in[0].mul(upstream)};
 *   }
 * }
 * }</pre>
 *
 * It is a record with a {@link org.jloss.annotation.Definition}, or gives a {@link #spec()} of its
 * own. Tensors made in both methods are closed when they return, but for the results: keep none in
 * a field.
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
