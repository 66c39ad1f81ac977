package org.jloss;

import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * An array and its shape: a tensor's data on the Java heap, row by row.
 *
 * <p>It refers to the array that it was made of and does not copy it.
 */
public final class NdArray {
  private final Object data;
  private final long[] shape;

  private NdArray(Object data, int length, long[] shape) {
    this.data = data;
    this.shape = shape.clone();
    if (Tensors.numel(shape) != length) {
      throw new IllegalArgumentException(
          "expected "
              + Tensors.numel(shape)
              + " elements for shape "
              + Arrays.toString(shape)
              + ", got "
              + length);
    }
  }

  /** float32 data of a shape; without a shape one axis. */
  public static NdArray of(float[] data, long... shape) {
    return new NdArray(data, data.length, shapeOr(shape, data.length));
  }

  /** float64 data of a shape; without a shape one axis. */
  public static NdArray of(double[] data, long... shape) {
    return new NdArray(data, data.length, shapeOr(shape, data.length));
  }

  /** int64 data of a shape; without a shape one axis. */
  public static NdArray of(long[] data, long... shape) {
    return new NdArray(data, data.length, shapeOr(shape, data.length));
  }

  /** One float64 number, of no axes. */
  public static NdArray scalar(double value) {
    return new NdArray(new double[] {value}, 1, new long[0]);
  }

  /** One float32 number, of no axes. */
  public static NdArray scalar(float value) {
    return new NdArray(new float[] {value}, 1, new long[0]);
  }

  /** A tensor's data, copied; float16 and bfloat16 as float32. */
  public static NdArray of(Tensor tensor) {
    Tensors.checkOpen(tensor);
    return switch (tensor.scalar_type().intern()) {
      case Double -> {
        final double[] values = Tensors.toDoubles(tensor);
        yield new NdArray(values, values.length, tensor.shape());
      }
      case Long, Int, Short, Byte, Char, Bool -> {
        final long[] values = Tensors.toLongs(tensor);
        yield new NdArray(values, values.length, tensor.shape());
      }
      default -> {
        final float[] values = Tensors.toFloats(tensor);
        yield new NdArray(values, values.length, tensor.shape());
      }
    };
  }

  private static long[] shapeOr(long[] shape, int length) {
    return shape.length == 0 ? new long[] {length} : shape;
  }

  /** The sizes of the axes. */
  public long[] shape() {
    return shape.clone();
  }

  /** The float32 data itself. */
  public float[] floats() {
    return data(float[].class);
  }

  /** The float64 data itself. */
  public double[] doubles() {
    return data(double[].class);
  }

  /** The int64 data itself. */
  public long[] longs() {
    return data(long[].class);
  }

  private <T> T data(Class<T> type) {
    if (!type.isInstance(data)) {
      throw new IllegalStateException(
          "expected " + type.getSimpleName() + " data, got " + data.getClass().getSimpleName());
    }
    return type.cast(data);
  }

  /** The one element. */
  public double item() {
    final double[] values = toDoubles();
    if (values.length != 1) {
      throw new IllegalStateException("expected one element, got shape " + Arrays.toString(shape));
    }
    return values[0];
  }

  private double[] toDoubles() {
    if (data instanceof float[] floats) {
      final double[] out = new double[floats.length];
      for (int i = 0; i < out.length; i++) {
        out[i] = floats[i];
      }
      return out;
    }
    return data instanceof long[] longs
        ? Arrays.stream(longs).asDoubleStream().toArray()
        : doubles();
  }

  /** {@return a tensor of a copy of the data, which the caller closes} */
  public Tensor toTensor() {
    if (data instanceof float[] floats) {
      return Tensors.of(floats, shape);
    }
    return data instanceof double[] doubles
        ? Tensors.ofDoubles(doubles, ScalarType.Double, shape)
        : Tensors.of(longs(), shape);
  }

  @Override
  public String toString() {
    return data.getClass().getSimpleName().replace("[]", "") + Arrays.toString(shape);
  }
}
