package org.jloss.regression;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Loss;
import org.jloss.Parameters;
import org.jloss.Reduction;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.annotation.Range;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Huber loss: with {@code e = input - target}, {@code l = e²/2} where {@code |e| <= delta}, else
 * {@code delta (|e| - delta/2)}.
 *
 * <p>{@code input} and {@code target} have one shape {@code (*)}; nothing is broadcast. {@code
 * weight}, of the same shape, multiplies the terms. Mean: {@code Σl / numel}, with weight too.
 *
 * <p>Source: {@code torch.nn.functional.huber_loss}.
 *
 * @param reduction none, mean or sum
 * @param delta where the square ends: above 0
 */
@Definition(
    id = "huber_loss",
    formula = "e = input - target; l = e^2/2 if |e| <= delta else delta (|e| - delta/2)",
    source = "torch.nn.functional.huber_loss")
@Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.REAL, differentiable = true)
@Input(name = "weight", shape = "*", domain = Domain.WEIGHT, optional = true)
public record HuberLoss(Reduction reduction, @Range(min = 0, openMin = true) double delta)
    implements Loss {

  /** Checks the parameters. */
  public HuberLoss {
    Parameters.check(HuberLoss.class, reduction, delta);
  }

  /** The defaults: mean, delta 1. */
  public HuberLoss() {
    this(Reduction.MEAN, 1.0);
  }

  /** A copy with this reduction. */
  public HuberLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** A copy with this delta. */
  public HuberLoss delta(double delta) {
    return Parameters.with(this, "delta", delta);
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
    return Native.huber_loss(in[0], in[1], in[2], reduction.code(), delta, gradients);
  }
}
