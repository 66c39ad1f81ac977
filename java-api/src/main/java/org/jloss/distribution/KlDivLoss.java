package org.jloss.distribution;

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
 * Kullback-Leibler divergence of {@code target} from {@code exp(input)}: {@code l = target (log
 * target - input)}, or with log targets {@code l = exp(target) (target - input)}.
 *
 * <p>{@code input}, log-probabilities, and {@code target} have one shape {@code (*)}. A probability
 * 0 adds 0; there the gradient of the target is NaN and that of the input 0, as in PyTorch. Mean
 * divides by the number of elements, which is not the divergence: batchmean, which divides by N,
 * is.
 *
 * <p>Source: {@code torch.nn.functional.kl_div}.
 *
 * @param logTarget whether the target is given as logarithms
 * @param reduction none, mean, sum or batchmean
 */
@Definition(
    id = "kl_div_loss",
    formula = "l = target (log target - input)",
    source = "torch.nn.functional.kl_div",
    reductions = {Reduction.NONE, Reduction.MEAN, Reduction.SUM, Reduction.BATCHMEAN})
@Input(name = "input", shape = "*", domain = Domain.LOG_PROBABILITY, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.PROBABILITY, differentiable = true)
public record KlDivLoss(boolean logTarget, Reduction reduction) implements Loss {

  /** Checks the parameters. */
  public KlDivLoss {
    Parameters.check(KlDivLoss.class, logTarget, reduction);
  }

  /** The defaults. */
  public KlDivLoss() {
    this(false, Reduction.MEAN);
  }

  /** A copy with this log target. */
  public KlDivLoss logTarget(boolean logTarget) {
    return Parameters.with(this, "logTarget", logTarget);
  }

  /** A copy with this reduction. */
  public KlDivLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.kl_div_loss(in[0], in[1], logTarget, reduction.code(), gradients);
  }
}
