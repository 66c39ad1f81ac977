package org.jloss.classification;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.ClassWeights;
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
 * Focal loss of softmax probabilities: {@code l = alpha_y (1 - p_y)^gamma h} with {@code p =
 * softmax(input)} and {@code h} the cross entropy, {@code -(1 - s) log p_y - s/C Σ_c log p_c},
 * {@code s = label_smoothing}.
 *
 * <p>{@code input}: {@code (N,C,*)}. {@code target}: int64 {@code (N,*)}. Rows of the ignored index
 * add nothing. Where {@code p_y = 1} and gamma is below 1, the gradient is 0. Mean: divided by the
 * number of rows that are not ignored (NaN if there are none).
 *
 * <p>Source: Lin et al., Focal Loss for Dense Object Detection, 2017, in its softmax form.
 *
 * @param alpha a factor for all classes, one a class, or null
 * @param gamma the exponent: not negative
 * @param ignoreIndex the class index that adds nothing
 * @param labelSmoothing how much of each target is spread over all classes: in [0, 1]
 * @param reduction none, mean or sum
 */
@Definition(
    id = "focal_loss",
    formula = "l = alpha_y (1 - p_y)^gamma (-log p_y), p = softmax(input)",
    source = "Lin et al. 2017, softmax form")
@Input(name = "input", shape = "N,C,*", domain = Domain.LOGITS, differentiable = true)
@Input(name = "target", shape = "N,*", domain = Domain.CLASS_INDEX)
@Input(name = "alpha", shape = "C|()", domain = Domain.WEIGHT, optional = true)
public record FocalLoss(
    @Nullable ClassWeights alpha,
    @Range(min = 0, openMax = true) double gamma,
    long ignoreIndex,
    @Range(min = 0, max = 1) double labelSmoothing,
    Reduction reduction)
    implements Loss {

  /** Checks the parameters. */
  public FocalLoss {
    Parameters.check(FocalLoss.class, alpha, gamma, ignoreIndex, labelSmoothing, reduction);
  }

  /** The defaults. */
  public FocalLoss() {
    this(null, 2.0, -100, 0.0, Reduction.MEAN);
  }

  /** A copy with this alpha. */
  public FocalLoss alpha(@Nullable ClassWeights alpha) {
    return Parameters.with(this, "alpha", alpha);
  }

  /** A copy with this gamma. */
  public FocalLoss gamma(double gamma) {
    return Parameters.with(this, "gamma", gamma);
  }

  /** A copy with this ignore index. */
  public FocalLoss ignoreIndex(long ignoreIndex) {
    return Parameters.with(this, "ignoreIndex", ignoreIndex);
  }

  /** A copy with this label smoothing. */
  public FocalLoss labelSmoothing(double labelSmoothing) {
    return Parameters.with(this, "labelSmoothing", labelSmoothing);
  }

  /** A copy with this reduction. */
  public FocalLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.focal_loss(
        in[0], in[1], in[2], gamma, ignoreIndex, labelSmoothing, reduction.code(), gradients);
  }
}
