package org.jloss.regression;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Loss;
import org.jloss.Numbers;
import org.jloss.Parameters;
import org.jloss.Reduction;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.annotation.Range;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Quantile (pinball) loss: with {@code e = target - input}, {@code l = max(tau e, (tau - 1) e)}.
 *
 * <p>One tau: {@code input} and {@code target} have one shape {@code (*)}. Several: {@code input}
 * is {@code (*, Q)}, one quantile an entry of its last axis, {@code target} is {@code (*)}. At a
 * tie the gradient is 0. With tau 0.5 it is half the absolute error. Mean: {@code Σl /
 * numel(input)}.
 *
 * <p>Source: Koenker and Bassett, Regression Quantiles, 1978.
 *
 * @param tau the quantile, or several: in (0, 1)
 * @param reduction none, mean or sum
 */
@Definition(
    id = "quantile_loss",
    formula = "e = target - input; l = max(tau e, (tau - 1) e)",
    source = "Koenker and Bassett, 1978")
@Input(name = "input", shape = "*|*,Q", domain = Domain.REAL, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.REAL, differentiable = true)
public record QuantileLoss(
    @Range(min = 0, max = 1, openMin = true, openMax = true) Numbers tau, Reduction reduction)
    implements Loss {

  /** Checks the parameters. */
  public QuantileLoss {
    Parameters.check(QuantileLoss.class, tau, reduction);
  }

  /** The defaults: tau 0.5, mean. */
  public QuantileLoss() {
    this(Numbers.of(0.5), Reduction.MEAN);
  }

  /** A copy with this tau, or these. */
  public QuantileLoss tau(double... tau) {
    return Parameters.with(this, "tau", Numbers.of(tau));
  }

  /** A copy with this reduction. */
  public QuantileLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.quantile_loss(in[0], in[1], tau.toArray(), reduction.code(), gradients);
  }
}
