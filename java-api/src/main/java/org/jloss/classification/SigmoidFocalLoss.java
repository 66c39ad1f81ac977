package org.jloss.classification;

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
 * Focal loss on sigmoids: {@code l = w alpha_t (1 - p_t)^gamma BCEWithLogits(x, t, pos_weight)}
 * with {@code p_t = p t + (1 - p)(1 - t)}, {@code p = sigmoid(x)}.
 *
 * <p>{@code input} and {@code target} have one shape {@code (*)}; soft targets are allowed. {@code
 * weight} and {@code pos_weight} are broadcast to it. Where {@code 1 - p_t = 0} the focal factor is
 * 0 and so is its derivative. Mean: {@code Σl / numel}.
 *
 * <p>Source: Lin et al., Focal Loss for Dense Object Detection, 2017, as {@code
 * torchvision.ops.sigmoid_focal_loss} (whose default reduction is none).
 *
 * @param alpha the weight of positives: at most 1 where balanced; negative for none
 * @param gamma the exponent: not negative
 * @param alphaMode what alpha means
 * @param reduction none, mean or sum
 */
@Definition(
    id = "sigmoid_focal_loss",
    formula = "l = w alpha_t (1 - p_t)^gamma BCEWithLogits(x, t, pos_weight)",
    source = "Lin et al. 2017; torchvision.ops.sigmoid_focal_loss")
@Input(name = "input", shape = "*", domain = Domain.LOGITS, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.PROBABILITY, differentiable = true)
@Input(name = "weight", shape = "*", domain = Domain.WEIGHT, optional = true, broadcasts = true)
@Input(name = "pos_weight", shape = "*", domain = Domain.WEIGHT, optional = true, broadcasts = true)
public record SigmoidFocalLoss(
    @Range(openMin = true, openMax = true) double alpha,
    @Range(min = 0, openMax = true) double gamma,
    AlphaMode alphaMode,
    Reduction reduction)
    implements Loss {

  /** What alpha means. */
  public enum AlphaMode {
    /** alpha for positives, 1 - alpha for negatives. */
    BALANCED,
    /** One factor of all. */
    SCALAR
  }

  /** Checks the parameters. */
  public SigmoidFocalLoss {
    Parameters.check(SigmoidFocalLoss.class, alpha, gamma, alphaMode, reduction);
  }

  /** The defaults: alpha 0.25, gamma 2, balanced, mean. */
  public SigmoidFocalLoss() {
    this(0.25, 2.0, AlphaMode.BALANCED, Reduction.MEAN);
  }

  /** A copy with this alpha. */
  public SigmoidFocalLoss alpha(double alpha) {
    return Parameters.with(this, "alpha", alpha);
  }

  /** A copy with this gamma. */
  public SigmoidFocalLoss gamma(double gamma) {
    return Parameters.with(this, "gamma", gamma);
  }

  /** A copy with this meaning of alpha. */
  public SigmoidFocalLoss alphaMode(AlphaMode alphaMode) {
    return Parameters.with(this, "alphaMode", alphaMode);
  }

  /** A copy with this reduction. */
  public SigmoidFocalLoss reduction(Reduction reduction) {
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
    return Native.sigmoid_focal_loss(
        in[0], in[1], in[2], in[3], alpha, gamma, alphaMode.ordinal(), reduction.code(), gradients);
  }
}
