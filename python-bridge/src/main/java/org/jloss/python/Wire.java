package org.jloss.python;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jloss.parity.DType;
import org.jloss.parity.TensorEntry;
import org.jspecify.annotations.Nullable;

/**
 * What a worker and its owner say to each other: frames of a kind, a length and as many bytes. A
 * message is a frame with a tree of {@link Values} in JSON, followed by the bytes of its tensors.
 *
 * <p>Neither Java's nor Python's serialisation: a worker that a script took over can send no more
 * than wrong values, and what is no such message is an {@link IOException}.
 */
final class Wire {
  /** A message: a call, and its answer. */
  static final byte MESSAGE = 'M';

  /** Bytes for the standard output. */
  static final byte OUT = 'O';

  /** Bytes for the standard error. */
  static final byte ERR = 'E';

  /** The worker wants so many bytes of standard input; the same from the owner: here they are. */
  static final byte INPUT = 'I';

  /** Interrupt what runs. */
  static final byte INTERRUPT = 'X';

  /** In place of a tensor: dtype, shape and its position among the tensors. */
  private static final String BLOB = "blob";

  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder()
              .streamReadConstraints(
                  StreamReadConstraints.builder()
                      .maxNestingDepth(Values.DEEPEST + 20)
                      .maxStringLength(Integer.MAX_VALUE)
                      // Objects take far more memory than the text that makes them.
                      .maxTokenCount(4_000_000)
                      .build())
              .build());

  private final DataInputStream in;
  private final DataOutputStream out;
  private final WritableByteChannel channel;
  private final int limit;

  /**
   * Both directions.
   *
   * @param limit the most bytes of a frame
   */
  Wire(InputStream in, OutputStream out, int limit) {
    this.in = new DataInputStream(in);
    this.out = new DataOutputStream(out);
    this.channel = Channels.newChannel(this.out);
    this.limit = limit;
  }

  /** A frame that came. */
  record Frame(byte kind, byte[] bytes) {}

  /** The next frame. */
  Frame read() throws IOException {
    final byte kind = in.readByte();
    final int length = in.readInt();
    if ("MOEIX".indexOf(kind) < 0 || length < 0 || length > limit) {
      throw new IOException(
          "expected a frame of at most " + limit + " bytes, got kind " + kind + " of " + length);
    }
    final byte[] bytes = in.readNBytes(length);
    if (bytes.length < length) {
      throw new IOException("a frame is cut off");
    }
    return new Frame(kind, bytes);
  }

  synchronized void write(byte kind, byte[] bytes, int offset, int length) throws IOException {
    out.writeByte(kind);
    out.writeInt(length);
    out.write(bytes, offset, length);
    out.flush();
  }

  /**
   * Sends a message.
   *
   * @throws IllegalArgumentException if it is larger than the limit: nothing was sent
   */
  void send(Object tree) throws IOException {
    final List<TensorEntry> tensors = new ArrayList<>();
    final byte[] json = JSON.writeValueAsBytes(extract(tree, tensors));
    long length = 4L + json.length;
    for (final TensorEntry tensor : tensors) {
      length += tensor.data().remaining();
    }
    if (length > limit) {
      throw new IllegalArgumentException(
          "expected values of at most " + limit + " bytes to or from a worker, got " + length);
    }
    synchronized (this) {
      out.writeByte(MESSAGE);
      out.writeInt((int) length);
      out.writeInt(json.length);
      out.write(json);
      for (final TensorEntry tensor : tensors) {
        final ByteBuffer data = tensor.data();
        while (data.hasRemaining()) {
          channel.write(data);
        }
      }
      out.flush();
    }
  }

  /** The tree of a message. */
  static @Nullable Object parse(byte[] message) throws IOException {
    final ByteBuffer bytes = ByteBuffer.wrap(message);
    try {
      final int length = bytes.getInt();
      final Object tree = JSON.readValue(message, bytes.position(), length, Object.class);
      bytes.position(bytes.position() + length);
      return restore(tree, bytes);
    } catch (RuntimeException e) {
      throw new IOException("a message is broken: " + e.getMessage(), e);
    }
  }

  private static @Nullable Object extract(@Nullable Object tree, List<TensorEntry> tensors) {
    if (tree instanceof TensorEntry tensor) {
      tensors.add(tensor);
      return new Object[] {BLOB, tensor.dtype().torchName(), tensor.shape()};
    }
    return tree instanceof Object[] parts
        ? Arrays.stream(parts).map(p -> extract(p, tensors)).toArray()
        : tree;
  }

  /** Tensors come in the order of the tree. */
  private static @Nullable Object restore(@Nullable Object tree, ByteBuffer bytes) {
    if (!(tree instanceof List<?> parts)) {
      return tree;
    }
    if (!parts.isEmpty() && BLOB.equals(parts.get(0))) {
      final DType dtype = DType.ofTorchName((String) parts.get(1)).orElseThrow();
      final long[] shape =
          ((List<?>) parts.get(2)).stream().mapToLong(n -> ((Number) n).longValue()).toArray();
      long length = dtype.bytes();
      for (final long size : shape) {
        length = Math.multiplyExact(length, size);
      }
      final ByteBuffer data = bytes.slice(bytes.position(), Math.toIntExact(length));
      bytes.position(bytes.position() + (int) length);
      return TensorEntry.of(dtype, shape, data);
    }
    final List<@Nullable Object> restored = new ArrayList<>(parts.size());
    parts.forEach(p -> restored.add(restore(p, bytes)));
    return restored;
  }
}
