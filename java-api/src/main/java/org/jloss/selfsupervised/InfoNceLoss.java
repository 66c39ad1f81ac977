package org.jloss.selfsupervised;

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
 * InfoNCE: {@code l = -log( e^{q·k⁺/τ} / (e^{q·k⁺/τ} + Σ_k e^{q·k⁻/τ}) )}, {@code τ} the
 * temperature.
 *
 * <p>{@code query}, {@code positive}: {@code (N,D)}. {@code negatives}: {@code (K,D)} for all rows,
 * or {@code (N,K,D)}; without them the positives of the other rows. Mean: {@code Σl / N}. Memory
 * grows with {@code N D + K D}; the similarities are never held as a whole.
 *
 * <p>Source: van den Oord, Li, Vinyals, 2018; with a queue of negatives He et al., 2020.
 *
 * @param temperature above 0
 * @param normalize whether rows are divided by their norms first
 * @param reduction none, mean or sum
 */
@Definition(
    id = "info_nce_loss",
    formula = "l = -log(exp(q.k+ / t) / (exp(q.k+ / t) + sum_k exp(q.k- / t)))",
    source = "van den Oord et al. 2018")
@Input(name = "query", shape = "N,D", domain = Domain.EMBEDDING, differentiable = true)
@Input(name = "positive", shape = "N,D", domain = Domain.EMBEDDING, differentiable = true)
@Input(
    name = "negatives",
    shape = "K,D|N,K,D",
    domain = Domain.EMBEDDING,
    differentiable = true,
    optional = true)
public record InfoNceLoss(
    @Range(min = 0, openMin = true, openMax = true) double temperature,
    boolean normalize,
    Reduction reduction)
    implements Loss {

  /** Checks the parameters. */
  public InfoNceLoss {
    Parameters.check(InfoNceLoss.class, temperature, normalize, reduction);
  }

  /** The defaults. */
  public InfoNceLoss() {
    this(0.1, false, Reduction.MEAN);
  }

  /** A copy with this temperature. */
  public InfoNceLoss temperature(double temperature) {
    return Parameters.with(this, "temperature", temperature);
  }

  /** A copy with this normalize. */
  public InfoNceLoss normalize(boolean normalize) {
    return Parameters.with(this, "normalize", normalize);
  }

  /** A copy with this reduction. */
  public InfoNceLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor query, Tensor positive) {
    return Loss.super.apply(query, positive);
  }

  /** The loss of these tensors, negatives given or null. */
  public Tensor apply(Tensor query, Tensor positive, @Nullable Tensor negatives) {
    return Loss.super.apply(query, positive, negatives);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.info_nce_loss(
        in[0], in[1], in[2], temperature, normalize, reduction.code(), gradients);
  }
}
