package org.jloss.python;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** A miner that a script wrote. */
final class PyOwnMiner implements Miner {
  private final Spec spec;
  private final PyFunction mine;

  PyOwnMiner(Spec spec, PyFunction mine) {
    this.spec = spec;
    this.mine = mine;
  }

  @Override
  public Spec spec() {
    return spec;
  }

  @Override
  public TensorVector compute(@Nullable Tensor[] inputs) {
    final TensorVector vectors = new TensorVector();
    try (PointerScope scope = new PointerScope()) {
      final Tensor[] picked = mine.call(inputs);
      vectors.resize(picked.length);
      for (int i = 0; i < picked.length; i++) {
        vectors.put(i, picked[i]);
      }
    }
    return vectors;
  }

  @Override
  public String toString() {
    return spec.id();
  }
}
