package org.jloss.metriclearning;

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
 * Contrastive loss of pairs: with {@code d = ‖input1 - input2 + eps‖_p}, {@code l = scale d²} for
 * similar pairs and {@code scale max(0, margin - d)²} for the others.
 *
 * <p>{@code input1}, {@code input2}: {@code (N,D)}. {@code target}: {@code (N)} of 0 and 1. The
 * gradient is 0 at {@code d = margin} and at {@code d = 0}. Mean: {@code Σl / N}.
 *
 * <p>Source: Hadsell, Chopra, LeCun, 2006; {@code torch.nn.functional.pairwise_distance}. Scale 0.5
 * is the form with 1/(2N).
 *
 * @param margin from where on dissimilar pairs are free
 * @param p the norm: above 0, infinity too
 * @param eps added to each component of the difference
 * @param similarLabel the target of similar pairs: 0 or 1
 * @param scale a factor of all
 * @param reduction none, mean or sum
 */
@Definition(
    id = "contrastive_loss",
    formula = "d = ||input1 - input2 + eps||_p; l = scale [s d^2 + (1 - s) max(0, margin - d)^2]",
    source = "Hadsell, Chopra, LeCun 2006")
@Input(name = "input1", shape = "N,D", domain = Domain.EMBEDDING, differentiable = true)
@Input(name = "input2", shape = "N,D", domain = Domain.EMBEDDING, differentiable = true)
@Input(name = "target", shape = "N", domain = Domain.BINARY)
public record ContrastiveLoss(
    @Range(openMin = true, openMax = true) double margin,
    @Range(min = 0, openMin = true) double p,
    @Range(openMin = true, openMax = true) double eps,
    @Range(min = 0, max = 1) long similarLabel,
    @Range(openMin = true, openMax = true) double scale,
    Reduction reduction)
    implements Loss {

  /** Checks the parameters. */
  public ContrastiveLoss {
    Parameters.check(ContrastiveLoss.class, margin, p, eps, similarLabel, scale, reduction);
  }

  /** The defaults. */
  public ContrastiveLoss() {
    this(1.0, 2.0, 1e-6, 1, 1.0, Reduction.MEAN);
  }

  /** A copy with this margin. */
  public ContrastiveLoss margin(double margin) {
    return Parameters.with(this, "margin", margin);
  }

  /** A copy with this p. */
  public ContrastiveLoss p(double p) {
    return Parameters.with(this, "p", p);
  }

  /** A copy with this eps. */
  public ContrastiveLoss eps(double eps) {
    return Parameters.with(this, "eps", eps);
  }

  /** A copy with this similar label. */
  public ContrastiveLoss similarLabel(long similarLabel) {
    return Parameters.with(this, "similarLabel", similarLabel);
  }

  /** A copy with this scale. */
  public ContrastiveLoss scale(double scale) {
    return Parameters.with(this, "scale", scale);
  }

  /** A copy with this reduction. */
  public ContrastiveLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input1, Tensor input2, Tensor target) {
    return Loss.super.apply(input1, input2, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.contrastive_loss(
        in[0], in[1], in[2], margin, p, eps, similarLabel, scale, reduction.code(), gradients);
  }
}
