package org.jloss.parity;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jloss.Errors;
import org.jloss.MemoryBudget;
import org.jloss.Tensors;

/**
 * A tensor outside libtorch: dtype, shape and bytes, often those of a mapped file. Immutable, as
 * long as nobody changes the bytes underneath, and safe to share between threads.
 */
public final class TensorEntry {
  /** No tensor has more axes. */
  static final int MOST_AXES = 64;

  private static final byte[] FILLER = new byte[8192];

  static {
    Arrays.fill(FILLER, (byte) -1);
  }

  private final DType dtype;
  private final long[] shape;
  private final long[] strides;

  /** From the first element to the last, in the order of the strides; little-endian. */
  private final ByteBuffer storage;

  private final long numel;
  private final boolean contiguous;

  private TensorEntry(DType dtype, long[] shape, long[] strides, ByteBuffer storage) {
    final long bytes = Math.multiplyExact(span(shape, strides), (long) dtype.bytes());
    if (bytes != storage.remaining()) {
      throw new IllegalArgumentException(
          String.format(
              "%s%s takes %d bytes, but there are %d",
              dtype.torchName(), Arrays.toString(shape), bytes, storage.remaining()));
    }
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.storage = storage.slice().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    numel = numel(shape);
    contiguous = isContiguous(shape, strides, numel);
  }

  /**
   * {@return an entry over a buffer, which is not copied}
   *
   * @param dtype the dtype
   * @param shape the shape; empty for a scalar
   * @param data the elements in row-major order, little-endian, from position to limit
   * @throws IllegalArgumentException if the buffer's length is not that of such a tensor
   */
  public static TensorEntry of(DType dtype, long[] shape, ByteBuffer data) {
    numel(shape);
    return new TensorEntry(dtype, shape.clone(), Layout.rowMajor(shape), data);
  }

  /** An entry whose elements lie by strides; the storage starts with its first element. */
  static TensorEntry strided(DType dtype, long[] shape, long[] strides, ByteBuffer storage) {
    return new TensorEntry(dtype, shape.clone(), strides.clone(), storage);
  }

  /**
   * {@return a float64 entry with a copy of the values}
   *
   * @param values the elements in row-major order
   * @param shape the shape; empty for a scalar
   */
  public static TensorEntry of(double[] values, long... shape) {
    final ByteBuffer data = allocate(DType.F64, values.length);
    data.asDoubleBuffer().put(values);
    return of(DType.F64, shape, data);
  }

  /**
   * {@return a float32 entry with a copy of the values}
   *
   * @param values the elements in row-major order
   * @param shape the shape; empty for a scalar
   */
  public static TensorEntry of(float[] values, long... shape) {
    final ByteBuffer data = allocate(DType.F32, values.length);
    data.asFloatBuffer().put(values);
    return of(DType.F32, shape, data);
  }

  /**
   * {@return an int64 entry with a copy of the values}
   *
   * @param values the elements in row-major order
   * @param shape the shape; empty for a scalar
   */
  public static TensorEntry of(long[] values, long... shape) {
    final ByteBuffer data = allocate(DType.I64, values.length);
    data.asLongBuffer().put(values);
    return of(DType.I64, shape, data);
  }

  /**
   * {@return an entry with a copy of a tensor's elements} Strides, device and the autograd graph do
   * not matter; nothing native is left behind.
   *
   * @param tensor the tensor
   * @throws IllegalStateException if the tensor is closed
   * @throws IllegalArgumentException if it is undefined
   * @throws UnsupportedOperationException if it is not dense, of a dtype that is not in {@link
   *     DType}, or too large for a Java array
   */
  public static TensorEntry of(Tensor tensor) {
    if (tensor.isNull()) {
      throw new IllegalStateException("expected an open tensor, got a closed one");
    }
    try (PointerScope scope = new PointerScope()) {
      if (!tensor.defined()) {
        throw new IllegalArgumentException("an undefined tensor has no elements");
      }
      if (tensor.layout().intern() != torch.Layout.Strided) {
        throw new UnsupportedOperationException("only dense tensors can be stored");
      }
      final DType dtype = DType.of(tensor.scalar_type().intern());
      final Tensor plain = Tensors.inMemory(tensor);
      final ByteBuffer data = allocate(dtype, plain.numel());
      if (data.hasRemaining()) {
        nativeBytes(plain, data.remaining()).get(data.array());
      }
      return of(dtype, plain.shape(), data);
    }
  }

  /** {@return the dtype} */
  public DType dtype() {
    return dtype;
  }

  /** {@return a copy of the shape; empty for a scalar} */
  public long[] shape() {
    return shape.clone();
  }

  /** {@return the number of elements} */
  public long numel() {
    return numel;
  }

  /**
   * {@return the elements in row-major order, read-only and little-endian} Only a tensor of a .pt
   * file whose elements lie otherwise is copied for it.
   *
   * @throws UnsupportedOperationException if such a copy is too large for a Java array
   */
  public ByteBuffer data() {
    if (contiguous) {
      return storage.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    }
    final ByteBuffer data = allocate(dtype, numel);
    copyTo(data, Layout.rowMajor(shape));
    return data.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * {@return the elements in row-major order, rounded to double where they are int64}
   *
   * @throws UnsupportedOperationException if they are too many for a Java array
   */
  public double[] toDoubles() {
    final double[] values = new double[arrayLength(numel, 1)];
    forEach(
        Layout.rowMajor(shape),
        (i, from) -> values[i] = dtype.toDouble(storage, from * dtype.bytes()));
    return values;
  }

  /**
   * {@return the elements in row-major order}
   *
   * @throws IllegalStateException if they are not integers or truth values
   * @throws UnsupportedOperationException if they are too many for a Java array
   */
  public long[] toLongs() {
    final long[] values = new long[arrayLength(numel, 1)];
    forEach(
        Layout.rowMajor(shape),
        (i, from) -> values[i] = dtype.toLong(storage, from * dtype.bytes()));
    return values;
  }

  /**
   * {@return a new CPU tensor with a copy of the elements} A tensor of a .pt file keeps its
   * strides. The caller owns the tensor; an open PointerScope takes it.
   */
  public Tensor toTensor() {
    return toTensor(strides);
  }

  /**
   * {@return a new CPU tensor with a copy of the elements, laid out as wanted} The bytes between
   * the elements are NaN in floating dtypes, so that reading them shows. The caller owns the
   * tensor; an open PointerScope takes it.
   *
   * @param layout the layout; {@link Layout#EXPANDED} keeps the last of the equal rows
   * @throws IllegalArgumentException if the layout does not suit the shape
   */
  public Tensor toTensor(Layout layout) {
    return toTensor(layout.strides(shape));
  }

  private Tensor toTensor(long[] target) {
    final int bytesNeeded = arrayLength(span(shape, target), dtype.bytes());
    MemoryBudget.check(bytesNeeded, 1);
    Tensor tensor;
    try (TensorOptions options = new TensorOptions(dtype.scalarType())) {
      tensor = torch.empty_strided(shape, target, options);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
    if (numel == 0) {
      return tensor;
    }
    try {
      final ByteBuffer bytes = nativeBytes(tensor, bytesNeeded);
      if (Arrays.equals(strides, target)) {
        bytes.put(storage.duplicate());
      } else {
        while (bytes.hasRemaining()) {
          bytes.put(FILLER, 0, Math.min(FILLER.length, bytes.remaining()));
        }
        copyTo(bytes, target);
      }
      if (dtype == DType.BOOL) {
        normalise(bytes);
      }
      return tensor;
    } catch (Throwable e) {
      tensor.close();
      throw e;
    }
  }

  /**
   * Whether the slices along the first axis have the same bits, as far as it shows without a copy.
   */
  boolean hasEqualRows() {
    if (numel == 0 || shape[0] == 1 || strides[0] == 0) {
      return true;
    }
    final int row = storage.remaining() / (int) shape[0];
    final ByteBuffer first = storage.slice(0, row);
    return contiguous
        && IntStream.range(1, (int) shape[0])
            .allMatch(i -> storage.slice(i * row, row).equals(first));
  }

  /** Copies the elements into a buffer, from its start, where they lie by other strides. */
  private void copyTo(ByteBuffer target, long[] targetStrides) {
    final int bytes = dtype.bytes();
    forEach(
        targetStrides,
        (index, from) -> {
          int to = index * bytes;
          switch (bytes) {
            case 1 -> target.put(to, storage.get(from));
            case 2 -> target.putShort(to, storage.getShort(from * bytes));
            case 4 -> target.putInt(to, storage.getInt(from * bytes));
            default -> target.putLong(to, storage.getLong(from * bytes));
          }
        });
  }

  @FunctionalInterface
  private interface Visitor {
    /** Offsets in elements, both of the same element. */
    void visit(int to, int from);
  }

  /** Calls the visitor for each element, with its place by other strides and in our storage. */
  private void forEach(long[] targetStrides, Visitor visitor) {
    final long[] index = new long[shape.length];
    long to = 0;
    long from = 0;
    for (long i = 0; i < numel; i++) {
      visitor.visit((int) to, (int) from);
      for (int axis = shape.length - 1; axis >= 0; axis--) {
        to += targetStrides[axis];
        from += strides[axis];
        if (++index[axis] < shape[axis]) {
          break;
        }
        to -= index[axis] * targetStrides[axis];
        from -= index[axis] * strides[axis];
        index[axis] = 0;
      }
    }
  }

  private static ByteBuffer allocate(DType dtype, long numel) {
    return ByteBuffer.allocate(arrayLength(numel, dtype.bytes())).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static int arrayLength(long elements, int each) {
    if (elements > (Integer.MAX_VALUE - 8) / each) {
      throw new UnsupportedOperationException(
          elements + " elements of " + each + " bytes are too many for a Java array");
    }
    return (int) elements * each;
  }

  private static ByteBuffer nativeBytes(Tensor tensor, int length) {
    final BytePointer pointer = new BytePointer(tensor.data_ptr());
    return pointer.capacity(length).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** For C++ a bool is 0 or 1 and nothing else. */
  private void normalise(ByteBuffer bytes) {
    for (int i = 0; i < bytes.capacity(); i++) {
      bytes.put(i, (byte) (bytes.get(i) == 0 ? 0 : 1));
    }
  }

  /**
   * The number of elements, having checked the shape.
   *
   * @throws IllegalArgumentException with the words for a {@link BrokenFileException}
   */
  static long numel(long[] shape) {
    if (shape.length > MOST_AXES) {
      throw new IllegalArgumentException(
          "has " + shape.length + " axes; at most " + MOST_AXES + " can be");
    }
    // Zeros count as ones here: the strides of an empty tensor must not overflow either.
    long product = 1;
    boolean empty = false;
    for (final long size : shape) {
      if (size < 0) {
        throw new IllegalArgumentException("has a negative size " + size);
      }
      empty |= size == 0;
      final long factor = Math.max(1, size);
      if (product > Long.MAX_VALUE / 8 / factor) {
        throw new IllegalArgumentException("has too many elements: " + Arrays.toString(shape));
      }
      product *= factor;
    }
    return empty ? 0 : product;
  }

  /**
   * The elements of storage from the first to the last that the strides reach.
   *
   * @throws IllegalArgumentException with the words for a {@link BrokenFileException}
   */
  static long span(long[] shape, long[] strides) {
    final long numel = numel(shape);
    long last = 0;
    try {
      for (int i = 0; i < shape.length; i++) {
        if (strides[i] < 0) {
          throw new IllegalArgumentException("has a negative stride " + strides[i]);
        }
        if (numel > 0) {
          last = Math.addExact(last, Math.multiplyExact(shape[i] - 1, strides[i]));
        }
      }
      return numel == 0 ? 0 : Math.addExact(last, 1);
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("has strides that overflow", e);
    }
  }

  private static boolean isContiguous(long[] shape, long[] strides, long numel) {
    if (numel == 0) {
      return true;
    }
    final long[] rowMajor = Layout.rowMajor(shape);
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] != 1 && strides[i] != rowMajor[i]) {
        return false;
      }
    }
    return true;
  }

  /** {@return dtype and shape, such as {@code float32[2, 3]}} */
  @Override
  public String toString() {
    return dtype.torchName() + Arrays.toString(shape);
  }
}
