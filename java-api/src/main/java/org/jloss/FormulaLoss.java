package org.jloss;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * A loss of one's own, written in tensor operations: autograd has its gradient.
 *
 * <pre>{@code
 * Loss halfSquare =
 *     FormulaLoss.of(
 *         "half_square", 2, in -> in[0].sub(in[1]).square().sum().mul(new Scalar(0.5)));
 * }</pre>
 *
 * A record with {@link org.jloss.annotation.Definition} that implements this interface has
 * parameters and a specification, as the library's own losses have:
 *
 * <pre>{@code
 * @Definition(id = "log_cosh", formula = "mean log cosh(scale (input - target))", source = "mine")
 * @Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
 * @Input(name = "target", shape = "*", domain = Domain.REAL)
 * public record LogCosh(double scale) implements FormulaLoss {
 *   public LogCosh() {
 *     this(1);
 *   }
 *
 *   @Override
 *   public Tensor formula(@Nullable Tensor[] in) {
 *     return in[0].sub(in[1]).mul(new Scalar(scale)).cosh().log().mean();
 *   }
 * }
 * }</pre>
 */
public interface FormulaLoss extends Loss {

  /** The value, by operations that autograd knows. */
  Tensor formula(@Nullable Tensor[] inputs);

  /**
   * A loss from a function.
   *
   * @param name its name, for messages
   * @param inputs how many tensors it takes
   */
  static FormulaLoss of(String name, int inputs, Formula formula) {
    final Spec spec = Spec.ofOwn(name, formula.getClass(), inputs);
    return new FormulaLoss() {
      @Override
      public Tensor formula(@Nullable Tensor[] tensors) {
        return formula.apply(tensors);
      }

      @Override
      public Spec spec() {
        return spec;
      }

      @Override
      public String toString() {
        return name;
      }
    };
  }

  /** A function from tensors to a value. */
  @FunctionalInterface
  interface Formula {
    /** The value of these tensors. */
    Tensor apply(@Nullable Tensor[] inputs);
  }

  @Override
  default Tensor compute(@Nullable Tensor[] inputs, @Nullable TensorVector gradients) {
    return gradients == null
        ? Callbacks.value(this, "formula", formula(inputs))
        : Autograd.differentiate(this, inputs, gradients);
  }
}
