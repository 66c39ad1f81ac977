package org.jloss.parity;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a tensor lies in memory, as a reference case asks for its inputs. */
public enum Layout {
  /** Row-major. */
  CONTIGUOUS(0),
  /** {@code torch.channels_last}: the strides of (N, H, W, C) for a tensor (N, C, H, W). */
  CHANNELS_LAST(4),
  /** The last two axes lie the other way round. */
  TRANSPOSED(2),
  /** Every second element of a storage twice as long along the last axis. */
  STRIDED(1),
  /** The first elements of a storage twice as long along the last axis. */
  SLICED(2),
  /** Stride 0 along the first axis, along which all values are equal. */
  EXPANDED(1);

  private final int leastAxes;

  Layout(int leastAxes) {
    this.leastAxes = leastAxes;
  }

  /** {@return the name in reference files, such as {@code channels_last}} */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * {@return whether tensors with {@code axes} axes can have this layout}
   *
   * @param axes the number of axes
   */
  public boolean suits(int axes) {
    return this == CHANNELS_LAST ? axes == leastAxes : axes >= leastAxes;
  }

  /**
   * {@return the strides, in elements, of a tensor in this layout}
   *
   * @param shape the tensor's shape
   * @throws IllegalArgumentException if tensors with so many axes cannot have this layout
   */
  public long[] strides(long[] shape) {
    final int axes = shape.length;
    if (!suits(axes)) {
      throw new IllegalArgumentException(
          "layout " + id() + " does not suit shape " + Arrays.toString(shape));
    }
    return switch (this) {
      case CONTIGUOUS -> rowMajor(shape);
      case CHANNELS_LAST -> {
        final long[] nhwc = rowMajor(new long[] {shape[0], shape[2], shape[3], shape[1]});
        yield new long[] {nhwc[0], nhwc[3], nhwc[1], nhwc[2]};
      }
      case TRANSPOSED -> {
        final long[] strides = rowMajor(swapLast(shape));
        yield swapLast(strides);
      }
      case STRIDED, SLICED -> {
        final long[] storage = shape.clone();
        storage[axes - 1] = Math.multiplyExact(2, storage[axes - 1]);
        final long[] strides = rowMajor(storage);
        strides[axes - 1] = this == STRIDED ? 2 : 1;
        yield strides;
      }
      case EXPANDED -> {
        final long[] strides = rowMajor(shape);
        strides[0] = 0;
        yield strides;
      }
    };
  }

  static Optional<Layout> ofId(String id) {
    return Arrays.stream(values()).filter(layout -> layout.id().equals(id)).findFirst();
  }

  static long[] rowMajor(long[] shape) {
    final long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride = Math.multiplyExact(stride, Math.max(1, shape[i]));
    }
    return strides;
  }

  private static long[] swapLast(long[] values) {
    final long[] swapped = values.clone();
    swapped[values.length - 1] = values[values.length - 2];
    swapped[values.length - 2] = values[values.length - 1];
    return swapped;
  }
}
