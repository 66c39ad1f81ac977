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
 * Cross entropy of logits with class indices or class probabilities. With {@code p =
 * softmax(input)}, {@code s = label_smoothing}: for an index {@code y} {@code l = -(1 - s) w_y log
 * p_y - s/C Σ_c w_c log p_c}, for probabilities {@code l = -Σ_c w_c ((1 - s) target_c + s/C) log
 * p_c}.
 *
 * <p>{@code input}: {@code (N,C,*)} or {@code (C)}. {@code target}: int64 {@code (N,*)} or {@code
 * ()}, or probabilities of input's shape and dtype. Rows of the ignored index add nothing. Mean:
 * divided by the sum of {@code w_y} over the rows that are not ignored (NaN if there are none); for
 * probabilities by the number of rows.
 *
 * <p>Source: {@code torch.nn.functional.cross_entropy}.
 *
 * @param weight a factor a class, or null
 * @param ignoreIndex the class index that adds nothing
 * @param labelSmoothing how much of each target is spread over all classes: in [0, 1]
 * @param reduction none, mean or sum
 */
@Definition(
    id = "cross_entropy_loss",
    formula = "l = -w_y log softmax(input)_y, or -sum_c w_c target_c log softmax(input)_c",
    source = "torch.nn.functional.cross_entropy")
@Input(name = "input", shape = "N,C,*|C", domain = Domain.LOGITS, differentiable = true)
@Input(
    name = "target",
    shape = "N,*|()|N,C,*|C",
    domain = Domain.CLASS_INDEX_OR_SIMPLEX,
    differentiable = true)
@Input(name = "weight", shape = "C", domain = Domain.WEIGHT, optional = true)
public record CrossEntropyLoss(
    @Nullable ClassWeights weight,
    long ignoreIndex,
    @Range(min = 0, max = 1) double labelSmoothing,
    Reduction reduction)
    implements Loss {

  /** Checks the parameters. */
  public CrossEntropyLoss {
    Parameters.check(CrossEntropyLoss.class, weight, ignoreIndex, labelSmoothing, reduction);
  }

  /** The defaults. */
  public CrossEntropyLoss() {
    this(null, -100, 0.0, Reduction.MEAN);
  }

  /** A copy with this weight. */
  public CrossEntropyLoss weight(@Nullable ClassWeights weight) {
    return Parameters.with(this, "weight", weight);
  }

  /** A copy with this ignore index. */
  public CrossEntropyLoss ignoreIndex(long ignoreIndex) {
    return Parameters.with(this, "ignoreIndex", ignoreIndex);
  }

  /** A copy with this label smoothing. */
  public CrossEntropyLoss labelSmoothing(double labelSmoothing) {
    return Parameters.with(this, "labelSmoothing", labelSmoothing);
  }

  /** A copy with this reduction. */
  public CrossEntropyLoss reduction(Reduction reduction) {
    return Parameters.with(this, "reduction", reduction);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor input, Tensor target) {
    return Loss.super.apply(input, target);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.cross_entropy_loss(
        in[0], in[1], in[2], ignoreIndex, labelSmoothing, reduction.code(), gradients);
  }
}
