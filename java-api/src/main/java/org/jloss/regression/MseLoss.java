package org.jloss.regression;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Loss;
import org.jloss.Parameters;
import org.jloss.Reduction;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Mean squared error: {@code l = (input - target)²}.
 *
 * <p>{@code input} and {@code target} have one shape {@code (*)}; nothing is broadcast. {@code
 * weight}, of the same shape, multiplies the terms. Mean: {@code Σl / numel}, with weight {@code
 * Σwl / Σw}.
 *
 * <p>Source: {@code torch.nn.functional.mse_loss}.
 *
 * @param reduction none, mean or sum
 */
@Definition(
    id = "mse_loss",
    formula = "l = (input - target)^2",
    source = "torch.nn.functional.mse_loss")
@Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.REAL, differentiable = true)
@Input(name = "weight", shape = "*", domain = Domain.WEIGHT, optional = true)
public record MseLoss(Reduction reduction) implements Loss {

  /** Checks the parameters. */
  public MseLoss {
    Parameters.check(MseLoss.class, reduction);
  }

  /** The defaults: mean. */
  public MseLoss() {
    this(Reduction.MEAN);
  }

  /** A copy with this reduction. */
  public MseLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  /** The loss of these tensors with a weight an element. */
  public Tensor apply(Tensor input, Tensor target, @Nullable Tensor weight) {
    return Loss.super.apply(input, target, weight);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.mse_loss(in[0], in[1], in[2], reduction.code(), gradients);
  }
}
