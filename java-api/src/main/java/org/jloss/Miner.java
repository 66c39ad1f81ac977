package org.jloss;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * A miner: picks pairs or triplets out of a batch of embeddings. Its indices carry no gradient; it
 * flows through the embeddings that they pick.
 */
public interface Miner {

  /** Picks: the one method that a miner implements. See {@link Loss#compute}. */
  TensorVector compute(@Nullable Tensor[] inputs);

  /** What this miner is. */
  default Spec spec() {
    return Spec.of(getClass());
  }

  /**
   * The picked indices; the caller closes them.
   *
   * @param inputs the tensors in the order of the specification
   * @throws IllegalArgumentException for shapes and values that the miner does not take; further as
   *     in {@link Loss}
   */
  default Indices mine(@Nullable Tensor... inputs) {
    return Calls.mine(this, inputs);
  }
}
