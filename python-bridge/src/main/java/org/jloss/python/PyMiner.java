package org.jloss.python;

import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Indices;
import org.jloss.Miner;

/** A miner as scripts hold it. The Python package wraps it in a class of the miner's own. */
public final class PyMiner {
  private final TensorPool pool;
  private final Miner miner;

  PyMiner(TensorPool pool, Miner miner) {
    this.pool = pool;
    this.miner = miner;
  }

  Miner miner() {
    return miner;
  }

  /** The picked indices: three vectors of triplets, four of pairs. */
  @HostAccess.Export
  public PyTensor[] apply(Value inputs) {
    return Guard.run(
        () -> {
          final Tensor[] tensors = PySystem.tensors(pool, miner.spec(), inputs);
          try (Indices indices = pool.allocate(() -> miner.mine(tensors))) {
            final PyTensor[] all = new PyTensor[indices.size()];
            for (int i = 0; i < all.length; i++) {
              all[i] = pool.share(indices.get(i));
            }
            return all;
          }
        });
  }

  /** Whether another has the same class and parameters. */
  @HostAccess.Export
  public boolean same(Object other) {
    return other instanceof PyMiner py && py.miner.equals(miner);
  }

  /** Equal for those that are the same. */
  @HostAccess.Export
  public int hash() {
    return miner.hashCode();
  }
}
