package org.jloss.bench;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Tensors;

/**
 * An input of a measurement, drawn from its name: the same numbers in Java and in the companion
 * script, which reads this description from the JSON file.
 *
 * @param name the input's name
 * @param kind what its numbers are
 * @param shape its shape
 * @param high for {@link Kind#INDEX}: the number of classes; for {@link Kind#UNIFORM}: the bound
 * @param gradient whether its gradient is computed
 * @param channelsLast whether its memory is in the order N, H, W, C
 */
public record Draw(
    String name, Kind kind, long[] shape, double high, boolean gradient, boolean channelsLast) {

  /** What the numbers of an input are. */
  public enum Kind {
    /** Uniform in [-high, high). */
    UNIFORM,
    /** Uniform in [0, 1). */
    UNIT,
    /** 0 or 1. */
    BINARY,
    /** int64 in 0 .. high - 1. */
    INDEX,
    /** A softmax along the second axis. */
    SIMPLEX,
    /** A log-softmax along the second axis. */
    LOG_SIMPLEX,
    /** A one-hot vector along the second axis. */
    ONE_HOT
  }

  static Draw below(double high, String name, Kind kind, long... shape) {
    return new Draw(name, kind, shape, high, false, false);
  }

  static Draw of(String name, Kind kind, long... shape) {
    return below(4, name, kind, shape);
  }

  Draw withGradient() {
    return new Draw(name, kind, shape, high, true, channelsLast);
  }

  Draw inChannelsLast() {
    return new Draw(name, kind, shape, high, gradient, true);
  }

  long numel() {
    long numel = 1;
    for (final long size : shape) {
      numel *= size;
    }
    return numel;
  }

  /** The tensor, which the caller closes. */
  Tensor tensor(String row) {
    try (PointerScope scope = new PointerScope()) {
      Tensor tensor = numbers(row + "/" + name);
      if (channelsLast) {
        tensor = tensor.contiguous(MemoryFormat.ChannelsLast);
      }
      tensor = tensor.detach().requires_grad_(gradient);
      tensor.retainReference(); // out of this scope
      return tensor;
    }
  }

  private Tensor numbers(String key) {
    final long start = start(key);
    return switch (kind) {
      case UNIFORM -> uniform(start, -high, high);
      case UNIT -> uniform(start, 0, 1);
      case BINARY -> {
        final float[] data = new float[Math.toIntExact(numel())];
        for (int i = 0; i < data.length; i++) {
          data[i] = bits(start, i) & 1;
        }
        yield Tensors.of(data, shape);
      }
      case INDEX -> index(start, (long) high, shape);
      case SIMPLEX -> torch.softmax(uniform(start, -4, 4), 1);
      case LOG_SIMPLEX -> torch.log_softmax(uniform(start, -4, 4), 1);
      case ONE_HOT -> {
        final long[] rest = new long[shape.length - 1];
        rest[0] = shape[0];
        System.arraycopy(shape, 2, rest, 1, shape.length - 2);
        yield torch
            .one_hot(index(start, shape[1], rest), shape[1])
            .movedim(-1, 1)
            .contiguous()
            .to(ScalarType.Float);
      }
    };
  }

  private Tensor uniform(long start, double low, double high) {
    final float[] data = new float[Math.toIntExact(numel())];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) (low + (high - low) * ((bits(start, i) >>> 11) * 0x1p-53));
    }
    return Tensors.of(data, shape);
  }

  private static Tensor index(long start, long classes, long[] shape) {
    long numel = 1;
    for (final long size : shape) {
      numel *= size;
    }
    final long[] data = new long[Math.toIntExact(numel)];
    for (int i = 0; i < data.length; i++) {
      data[i] = Long.remainderUnsigned(bits(start, i), classes);
    }
    return Tensors.of(data, shape);
  }

  /** Splitmix64 as a counter, as in tests/reference/harness.py. */
  private static long bits(long start, long i) {
    long z = start + (i + 1) * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private static long start(String key) {
    try {
      final byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return java.nio.ByteBuffer.wrap(hash).order(java.nio.ByteOrder.LITTLE_ENDIAN).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
