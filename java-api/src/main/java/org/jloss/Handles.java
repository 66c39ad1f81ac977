package org.jloss;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a vector by handles of their own, made when they are asked for: an element that is
 * only referred to would be freed memory once the vector is closed or collected.
 */
final class Handles implements AutoCloseable {
  private final TensorVector vector;
  private final @Nullable Tensor[] tensors;

  Handles(TensorVector vector) {
    this.vector = vector;
    tensors = new Tensor[(int) vector.size()];
  }

  synchronized Tensor get(int index) {
    Tensor tensor = tensors[index];
    if (tensor == null || tensor.isNull()) { // a scope may have closed it
      tensor = new Tensor(vector.get(index));
      tensors[index] = tensor;
    }
    return tensor;
  }

  /** Closes the handles and then the vector. */
  @Override
  public synchronized void close() {
    for (final Tensor tensor : tensors) {
      if (tensor != null) {
        tensor.close();
      }
    }
    vector.close();
  }
}
