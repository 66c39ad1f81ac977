package org.jloss.python;

import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jspecify.annotations.Nullable;

/** Values between Java and an interpreter in this JVM: tensors and losses as what scripts hold. */
final class LocalValues extends Values {
  private final TensorPool pool;
  private final Host host;
  private final boolean lend;

  /**
   * Values of a pool.
   *
   * @param lend whether tensors of scripts go out as they are, for a call; otherwise as handles
   *     that the caller closes
   */
  LocalValues(TensorPool pool, Host host, boolean lend) {
    this.pool = pool;
    this.host = host;
    this.lend = lend;
  }

  @Override
  Object encodeOther(Object value) {
    if (value instanceof Tensor tensor) {
      return new Object[] {"tensor", pool.share(tensor)};
    }
    if (value instanceof Loss || value instanceof Miner || value instanceof Memory) {
      return new Object[] {"system", host.handle(value, false)};
    }
    final JavaObject object = JavaObject.of(value, new LocalValues(pool, host, true));
    if (object == null) {
      throw wrong(value);
    }
    return new Object[] {"object", object};
  }

  @Override
  @Nullable Object encodeAll(List<?> list) {
    return Packed.encode(list);
  }

  @Override
  Object decodeOther(Object tree) {
    if (tree instanceof List<?> parts) {
      return Packed.decode(parts);
    }
    if (tree instanceof PyTensor tensor) {
      return lend ? tensor.tensor() : new Tensor(tensor.tensor());
    }
    if (tree instanceof PyLoss loss) {
      return loss.loss();
    }
    if (tree instanceof PyMiner miner) {
      return miner.miner();
    }
    if (tree instanceof PyMemory memory) {
      return memory.memory();
    }
    throw new IllegalArgumentException(
        "a Python " + Args.typeName(Objects.requireNonNull(tree)) + " has no Java type");
  }
}
