package org.jloss.metriclearning;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Distance;
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
 * Triplet margin loss: {@code l = max(0, d(anchor, positive) - d(anchor, negative) + margin)}.
 *
 * <p>{@code anchor}, {@code positive}, {@code negative}: {@code (N,D)} or {@code (D)}; leading axes
 * are broadcast. {@code p} and {@code eps} belong to the Euclidean distance, {@code d = ‖x - y +
 * eps‖_p}. For a similarity the signs change. With swap {@code d(anchor, negative)} is the smaller
 * of itself and {@code d(positive, negative)}. At exactly 0 the gradient passes, as in PyTorch.
 *
 * <p>Source: {@code torch.nn.functional.triplet_margin_loss}.
 *
 * @param margin above 0
 * @param p the norm: above 0, infinity too
 * @param eps added to each component of a difference
 * @param swap whether the nearer of anchor and positive counts against the negative
 * @param distance how far two embeddings are apart
 * @param reduction none, mean or sum
 */
@Definition(
    id = "triplet_margin_loss",
    formula = "l = max(0, d(anchor, positive) - d(anchor, negative) + margin)",
    source = "torch.nn.functional.triplet_margin_loss")
@Input(name = "anchor", shape = "N,D|D", domain = Domain.EMBEDDING, differentiable = true)
@Input(name = "positive", shape = "N,D|D", domain = Domain.EMBEDDING, differentiable = true)
@Input(name = "negative", shape = "N,D|D", domain = Domain.EMBEDDING, differentiable = true)
public record TripletMarginLoss(
    @Range(min = 0, openMin = true, openMax = true) double margin,
    @Range(min = 0, openMin = true) double p,
    @Range(openMin = true, openMax = true) double eps,
    boolean swap,
    Distance distance,
    Reduction reduction)
    implements Loss {

  /** Checks the parameters. */
  public TripletMarginLoss {
    Parameters.check(TripletMarginLoss.class, margin, p, eps, swap, distance, reduction);
  }

  /** The defaults. */
  public TripletMarginLoss() {
    this(1.0, 2.0, 1e-6, false, Distance.EUCLIDEAN, Reduction.MEAN);
  }

  /** A copy with this margin. */
  public TripletMarginLoss margin(double margin) {
    return Parameters.with(this, "margin", margin);
  }

  /** A copy with this p. */
  public TripletMarginLoss p(double p) {
    return Parameters.with(this, "p", p);
  }

  /** A copy with this eps. */
  public TripletMarginLoss eps(double eps) {
    return Parameters.with(this, "eps", eps);
  }

  /** A copy with this swap. */
  public TripletMarginLoss swap(boolean swap) {
    return Parameters.with(this, "swap", swap);
  }

  /** A copy with this distance. */
  public TripletMarginLoss distance(Distance distance) {
    return Parameters.with(this, "distance", distance);
  }

  /** A copy with this reduction. */
  public TripletMarginLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor anchor, Tensor positive, Tensor negative) {
    return Loss.super.apply(anchor, positive, negative);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.triplet_margin_loss(
        in[0], in[1], in[2], margin, p, eps, swap, distance.ordinal(), reduction.code(), gradients);
  }
}
