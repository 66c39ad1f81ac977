package org.jloss.python;

import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.Value;
import org.jloss.Tensors;

/** A tensor's elements in bulk, from Python and to it. */
final class Elements {
  /** How much is copied at once: bounds what a copy needs beside the tensor. */
  private static final int CHUNK = 1 << 20;

  private Elements() {}

  /** Fills a tensor, which lies in row order, with Python's bytes. */
  static void fill(Tensor tensor, Value bytes) {
    final long size = tensor.numel() * tensor.element_size();
    if (!tensor.is_contiguous() || bytes.getBufferSize() != size) {
      throw new IllegalArgumentException(
          "expected a buffer of " + size + " bytes, got " + bytes.getBufferSize());
    }
    if (size == 0) {
      return; // no address
    }
    final BytePointer target = new BytePointer(tensor.data_ptr()).capacity(size);
    byte[] chunk = new byte[(int) Math.min(size, CHUNK)];
    for (long done = 0; done < size; done += chunk.length) {
      if (size - done < chunk.length) {
        // GraalPy 25.0 fills the whole array, whatever count it is given.
        chunk = new byte[(int) (size - done)];
      }
      bytes.readBuffer(done, chunk, 0, chunk.length);
      target.position(done).put(chunk);
    }
  }

  /**
   * The elements' bytes in row order as a text of one character a byte: the one thing that GraalPy
   * 25.0 takes from Java in one go.
   */
  static String text(Tensor tensor) {
    checkData(tensor);
    final long size = tensor.numel() * tensor.element_size();
    if (size > Integer.MAX_VALUE - 8) {
      throw new PyError("MemoryError", "a tensor of " + size + " bytes is too large for Python");
    }
    if (size == 0) {
      return "";
    }
    final byte[] bytes = new byte[(int) size];
    try (PointerScope scope = new PointerScope()) {
      final Tensor data = Tensors.inMemory(tensor);
      new BytePointer(data.data_ptr()).capacity(size).get(bytes);
    }
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** Refuses a tensor that has a shape alone. */
  static void checkData(Tensor tensor) {
    if (tensor.is_meta()) {
      throw new PyError("NotImplementedError", "a meta tensor has no data");
    }
  }
}
