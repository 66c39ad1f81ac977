package org.jloss.python;

import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Indices;
import org.jloss.Miner;
import org.jspecify.annotations.Nullable;

/** A miner as scripts hold it. */
public final class PyMiner extends PySystem {
  private final Miner miner;

  PyMiner(TensorPool pool, Miner miner) {
    super(pool, miner, miner.spec());
    this.miner = miner;
  }

  Miner miner() {
    return miner;
  }

  /** The picked indices: three vectors of triplets, four of pairs. */
  @HostAccess.Export
  public PyTensor[] apply(@Nullable PyTensor... inputs) {
    return Guard.run(
        () -> {
          final Tensor[] tensors = tensors(inputs);
          try (Indices indices = pool.allocate(() -> miner.mine(tensors))) {
            final PyTensor[] all = new PyTensor[indices.size()];
            for (int i = 0; i < all.length; i++) {
              all[i] = pool.share(indices.get(i));
            }
            return all;
          }
        });
  }
}
