package org.jloss.classification;

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
 * Binary cross entropy on logits: {@code l = w [(1 - t) x + (1 + (pw - 1) t) softplus(-x)]}, stable
 * for any logit.
 *
 * <p>{@code input} and {@code target} have one shape {@code (*)}; targets are probabilities. {@code
 * weight} and {@code pos_weight} are broadcast to it: the first multiplies both terms, the second
 * the positive one. Mean: {@code Σl / numel}, whatever the weights.
 *
 * <p>Source: {@code torch.nn.functional.binary_cross_entropy_with_logits}.
 *
 * @param reduction none, mean or sum
 */
@Definition(
    id = "bce_with_logits_loss",
    formula = "l = w [(1 - t) x + (1 + (pw - 1) t) softplus(-x)]",
    source = "torch.nn.functional.binary_cross_entropy_with_logits")
@Input(name = "input", shape = "*", domain = Domain.LOGITS, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.PROBABILITY, differentiable = true)
@Input(name = "weight", shape = "*", domain = Domain.WEIGHT, optional = true, broadcasts = true)
@Input(name = "pos_weight", shape = "*", domain = Domain.WEIGHT, optional = true, broadcasts = true)
public record BceWithLogitsLoss(Reduction reduction) implements Loss {

  /** Checks the parameters. */
  public BceWithLogitsLoss {
    Parameters.check(BceWithLogitsLoss.class, reduction);
  }

  /** The defaults: mean. */
  public BceWithLogitsLoss() {
    this(Reduction.MEAN);
  }

  /** A copy with this reduction. */
  public BceWithLogitsLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  /** The loss of these tensors with weights. */
  public Tensor apply(
      Tensor input, Tensor target, @Nullable Tensor weight, @Nullable Tensor posWeight) {
    return Loss.super.apply(input, target, weight, posWeight);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.bce_with_logits_loss(in[0], in[1], in[2], in[3], reduction.code(), gradients);
  }
}
