package org.jloss;

import java.io.IOException;
import java.nio.file.Path;
import org.bytedeco.pytorch.Tensor;

/**
 * A store of past embeddings: the one kind of thing here that holds a state. Close it, save it with
 * the model. Threads may share it.
 *
 * <p>Its class has a static method {@code load(Path)}, which reads what {@link #save} wrote.
 */
public interface Memory extends AutoCloseable {

  /** Puts keys in: the one method that a memory implements. See {@link Loss#compute}. */
  void compute(Tensor keys);

  /** What this memory is. */
  default Spec spec() {
    return Spec.of(getClass());
  }

  /**
   * Puts keys in. They are copied without their graph.
   *
   * @throws IllegalArgumentException for a shape that does not fit; further as in {@link Loss}
   */
  default void enqueue(Tensor keys) {
    Calls.enqueue(this, keys);
  }

  /**
   * What it holds: a handle on the state itself, which later calls change. The caller closes it.
   */
  Tensor keys();

  /** Where the next key goes. */
  long position();

  /** Writes the state to a safetensors file. */
  void save(Path file) throws IOException;

  @Override
  void close();
}
