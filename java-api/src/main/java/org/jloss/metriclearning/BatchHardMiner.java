package org.jloss.metriclearning;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Distance;
import org.jloss.Indices;
import org.jloss.Miner;
import org.jloss.Parameters;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * For each anchor its farthest positive and its nearest negative.
 *
 * <p>{@code embeddings}: {@code (N,D)}. {@code labels}: int64 {@code (N)}. {@code ref_emb} {@code
 * (M,D)} and {@code ref_labels} {@code (M)}, both or neither: where positives and negatives come
 * from; without them they are the embeddings themselves, and a row is not its own positive. Of
 * equal distances the lowest index wins; anchors without a positive or a negative are dropped.
 *
 * <p>Source: Hermans, Beyer, Leibe, 2017; {@code pytorch_metric_learning.miners.BatchHardMiner}.
 *
 * @param distance how far two embeddings are apart
 * @param normalize whether rows are divided by their norms first
 */
@Definition(
    id = "batch_hard_miner",
    formula = "p = argmax over the same label of d, n = argmin over other labels of d",
    source = "Hermans, Beyer, Leibe 2017; pytorch_metric_learning")
@Input(name = "embeddings", shape = "N,D", domain = Domain.EMBEDDING)
@Input(name = "labels", shape = "N", domain = Domain.LABEL)
@Input(name = "ref_emb", shape = "M,D", domain = Domain.EMBEDDING, optional = true)
@Input(name = "ref_labels", shape = "M", domain = Domain.LABEL, optional = true)
public record BatchHardMiner(Distance distance, boolean normalize) implements Miner {

  /** Checks the parameters. */
  public BatchHardMiner {
    Parameters.check(BatchHardMiner.class, distance, normalize);
  }

  /** The defaults. */
  public BatchHardMiner() {
    this(Distance.EUCLIDEAN, true);
  }

  /** A copy with this distance. */
  public BatchHardMiner distance(Distance distance) {
    return Parameters.with(this, "distance", distance);
  }

  /** A copy with this normalize. */
  public BatchHardMiner normalize(boolean normalize) {
    return Parameters.with(this, "normalize", normalize);
  }

  /** The indices picked from these tensors. */
  public Indices mine(Tensor embeddings, Tensor labels) {
    return Miner.super.mine(embeddings, labels);
  }

  /** The indices picked from these tensors, ref_emb, ref_labels given or null. */
  public Indices mine(
      Tensor embeddings, Tensor labels, @Nullable Tensor refEmb, @Nullable Tensor refLabels) {
    return Miner.super.mine(embeddings, labels, refEmb, refLabels);
  }

  @Override
  public TensorVector compute(@Nullable Tensor[] in) {
    return Native.batch_hard_miner(in[0], in[1], in[2], in[3], distance.ordinal(), normalize);
  }
}
