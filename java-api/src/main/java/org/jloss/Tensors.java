package org.jloss;

import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Makes and reads tensors. Each tensor made here is one native object, which the caller closes; no
 * call leaves another behind.
 */
public final class Tensors {
  private Tensors() {}

  /** A float32 tensor with a copy of the data; without a shape, of one axis. */
  public static Tensor of(float[] data, long... shape) {
    final Tensor tensor = empty(ScalarType.Float, check(data.length, shape));
    if (data.length > 0) { // an empty tensor has no address
      new FloatPointer(tensor.data_ptr()).put(data);
    }
    return tensor;
  }

  /** A float64 tensor with a copy of the data; without a shape, of one axis. */
  public static Tensor of(double[] data, long... shape) {
    return ofDoubles(data, ScalarType.Double, check(data.length, shape));
  }

  /** An int64 tensor with a copy of the data; without a shape, of one axis. */
  public static Tensor of(long[] data, long... shape) {
    final Tensor tensor = empty(ScalarType.Long, check(data.length, shape));
    if (data.length > 0) {
      new LongPointer(tensor.data_ptr()).put(data);
    }
    return tensor;
  }

  /** A float64 tensor of one number. */
  public static Tensor scalar(double value) {
    return ofDoubles(new double[] {value}, ScalarType.Double, new long[0]);
  }

  /** A float32 tensor of one number. */
  public static Tensor scalar(float value) {
    final Tensor tensor = empty(ScalarType.Float, new long[0]);
    new FloatPointer(tensor.data_ptr()).put(value);
    return tensor;
  }

  /** Doubles as a tensor of any floating dtype and of just this shape. */
  static Tensor ofDoubles(double[] data, ScalarType dtype, long[] shape) {
    final Tensor doubles = empty(ScalarType.Double, shape);
    if (data.length > 0) {
      new DoublePointer(doubles.data_ptr()).put(data);
    }
    if (dtype == ScalarType.Double) {
      return doubles;
    }
    try (doubles) {
      return doubles.to(dtype);
    }
  }

  /** An uninitialised CPU tensor. */
  public static Tensor empty(ScalarType dtype, long... shape) {
    NativeLibrary.load();
    MemoryBudget.check(numel(shape), (int) torch.elementSize(dtype));
    try (TensorOptions options = new TensorOptions(dtype)) {
      return torch.empty(shape, options, null);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  /**
   * A tensor over a direct buffer's memory, from its position to its limit, without a copy. The
   * buffer must be in native byte order; keep a reference to it for as long as the tensor lives.
   */
  public static Tensor over(FloatBuffer buffer, long... shape) {
    direct(buffer.isDirect(), buffer.order());
    return over(
        new FloatPointer(buffer.slice()), ScalarType.Float, check(buffer.remaining(), shape));
  }

  /** See {@link #over(FloatBuffer, long...)}. */
  public static Tensor over(DoubleBuffer buffer, long... shape) {
    direct(buffer.isDirect(), buffer.order());
    return over(
        new DoublePointer(buffer.slice()), ScalarType.Double, check(buffer.remaining(), shape));
  }

  /** See {@link #over(FloatBuffer, long...)}. */
  public static Tensor over(LongBuffer buffer, long... shape) {
    direct(buffer.isDirect(), buffer.order());
    return over(new LongPointer(buffer.slice()), ScalarType.Long, check(buffer.remaining(), shape));
  }

  private static void direct(boolean isDirect, ByteOrder order) {
    if (order != ByteOrder.nativeOrder()) {
      throw new IllegalArgumentException(
          "expected a buffer of native byte order, got "
              + order
              + ": set the order of the ByteBuffer");
    }
    if (!isDirect) {
      throw new IllegalArgumentException(
          "expected a direct buffer, got one on the heap: use Tensors.of with its array");
    }
  }

  private static Tensor over(Pointer data, ScalarType dtype, long[] shape) {
    NativeLibrary.load();
    try (TensorOptions options = new TensorOptions(dtype)) {
      return torch.from_blob(data, shape, options);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  /** A copy of a tensor's elements in row order, as float32 whatever its dtype. */
  public static float[] toFloats(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      final Tensor data = flat(tensor, ScalarType.Float);
      final float[] out = new float[length(data)];
      if (out.length > 0) {
        new FloatPointer(data.data_ptr()).get(out);
      }
      return out;
    }
  }

  /** A copy of a tensor's elements in row order, as float64 whatever its dtype. */
  public static double[] toDoubles(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      final Tensor data = flat(tensor, ScalarType.Double);
      final double[] out = new double[length(data)];
      if (out.length > 0) {
        new DoublePointer(data.data_ptr()).get(out);
      }
      return out;
    }
  }

  /** A copy of a tensor's elements in row order, as int64 whatever its dtype. */
  public static long[] toLongs(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      final Tensor data = flat(tensor, ScalarType.Long);
      final long[] out = new long[length(data)];
      if (out.length > 0) {
        new LongPointer(data.data_ptr()).get(out);
      }
      return out;
    }
  }

  /** The one element of a tensor. */
  public static double item(Tensor tensor) {
    checkOpen(tensor);
    try (PointerScope scope = new PointerScope()) {
      if (tensor.numel() != 1) {
        throw new IllegalArgumentException(
            "expected a tensor of one element, got shape " + Arrays.toString(tensor.shape()));
      }
      final Scalar scalar = tensor.item();
      return scalar.toDouble();
    }
  }

  private static Tensor flat(Tensor tensor, ScalarType dtype) {
    checkOpen(tensor);
    try {
      return inMemory(tensor.to(dtype));
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  /**
   * A tensor whose memory holds these elements in row order: this one without its graph, or a copy.
   * libtorch leaves out the memory of some gradients that are 0, and negates some views only when
   * they are read.
   */
  public static Tensor inMemory(Tensor tensor) {
    try {
      final Tensor data = tensor.detach().cpu().resolve_neg();
      return (data._is_zerotensor() ? data.clone() : data).contiguous();
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  private static int length(Tensor tensor) {
    return Math.toIntExact(tensor.numel());
  }

  static void checkOpen(Tensor tensor) {
    if (tensor.isNull()) {
      throw new IllegalStateException("expected an open tensor, got a closed one");
    }
  }

  /** The shape, or one axis where there is none; checked against the number of elements. */
  static long[] check(long length, long[] shape) {
    if (shape.length == 0) {
      return new long[] {length};
    }
    if (numel(shape) != length) {
      throw new IllegalArgumentException(
          "expected "
              + numel(shape)
              + " elements for shape "
              + Arrays.toString(shape)
              + ", got "
              + length);
    }
    return shape;
  }

  /** The elements of a shape; an error where libtorch has none such. */
  static long numel(long[] shape) {
    long numel = 1;
    boolean empty = false;
    for (final long size : shape) {
      if (size < 0 || Math.multiplyHigh(numel, Math.max(size, 1)) != 0 || numel * size < 0) {
        throw new IllegalArgumentException(
            "expected a shape of at most 2^63 - 1 elements without negative sizes, got "
                + Arrays.toString(shape));
      }
      empty |= size == 0;
      numel *= Math.max(size, 1);
    }
    return empty ? 0 : numel;
  }
}
