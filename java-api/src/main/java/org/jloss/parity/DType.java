package org.jloss.parity;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** The element types of stored tensors, named as in safetensors. */
public enum DType {
  /** Truth values, one byte each; every byte but zero is true. */
  BOOL("bool", 1),
  /** Unsigned 8-bit integers. */
  U8("uint8", 1),
  /** Signed 8-bit integers. */
  I8("int8", 1),
  /** Signed 16-bit integers. */
  I16("int16", 2),
  /** Signed 32-bit integers. */
  I32("int32", 4),
  /** Signed 64-bit integers. */
  I64("int64", 8),
  /** IEEE half precision. */
  F16("float16", 2, 10, -14),
  /** bfloat16: the upper half of a float32. */
  BF16("bfloat16", 2, 7, -126),
  /** IEEE single precision. */
  F32("float32", 4, 23, -126),
  /** IEEE double precision. */
  F64("float64", 8, 52, -1022);

  private final String torchName;
  private final int bytes;
  private final int mantissaBits;
  private final int minExponent;

  DType(String torchName, int bytes) {
    this(torchName, bytes, -1, 0);
  }

  DType(String torchName, int bytes, int mantissaBits, int minExponent) {
    this.torchName = torchName;
    this.bytes = bytes;
    this.mantissaBits = mantissaBits;
    this.minExponent = minExponent;
  }

  /** {@return the name that PyTorch uses, such as {@code float32}} */
  public String torchName() {
    return torchName;
  }

  /** {@return the bytes that one element takes} */
  public int bytes() {
    return bytes;
  }

  /** {@return whether the elements are floating-point numbers} */
  public boolean isFloating() {
    return mantissaBits >= 0;
  }

  /**
   * {@return the distance from 1 to the next larger number}
   *
   * @throws UnsupportedOperationException if this is not a floating dtype
   */
  public double eps() {
    return ulp(1);
  }

  /**
   * {@return the distance between neighbouring numbers of this dtype at the size of {@code x}}
   * Beyond the range of the dtype the distance goes on growing with {@code x}.
   *
   * @param x a finite number
   * @throws UnsupportedOperationException if this is not a floating dtype
   */
  public double ulp(double x) {
    if (!isFloating()) {
      throw new UnsupportedOperationException(torchName + " has no unit in the last place");
    }
    return Math.scalb(1.0, Math.max(Math.getExponent(x), minExponent) - mantissaBits);
  }

  /**
   * {@return the dtype that PyTorch calls {@code name}, such as {@code float32}, if there is one}
   *
   * @param name the name, without {@code torch.}
   */
  public static Optional<DType> ofTorchName(String name) {
    for (final DType dtype : values()) {
      if (dtype.torchName.equals(name)) {
        return Optional.of(dtype);
      }
    }
    return Optional.empty();
  }

  /**
   * {@return the dtype that safetensors calls {@code name}, such as {@code F32}, if there is one}
   *
   * @param name the name
   */
  static Optional<DType> ofSafetensorsName(String name) {
    for (final DType dtype : values()) {
      if (dtype.name().equals(name)) {
        return Optional.of(dtype);
      }
    }
    return Optional.empty();
  }

  /** The number at a byte offset; int64 beyond 2^53 is rounded. */
  double toDouble(ByteBuffer data, int offset) {
    return switch (this) {
      case F16 -> halfToFloat(data.getShort(offset));
      case BF16 -> Float.intBitsToFloat(data.getShort(offset) << 16);
      case F32 -> data.getFloat(offset);
      case F64 -> data.getDouble(offset);
      default -> toLong(data, offset);
    };
  }

  /** The integer at a byte offset. */
  long toLong(ByteBuffer data, int offset) {
    return switch (this) {
      case BOOL -> data.get(offset) == 0 ? 0 : 1;
      case U8 -> data.get(offset) & 0xff;
      case I8 -> data.get(offset);
      case I16 -> data.getShort(offset);
      case I32 -> data.getInt(offset);
      case I64 -> data.getLong(offset);
      default -> throw new IllegalStateException(torchName + " is no integer");
    };
  }

  ScalarType scalarType() {
    return switch (this) {
      case BOOL -> ScalarType.Bool;
      case U8 -> ScalarType.Byte;
      case I8 -> ScalarType.Char;
      case I16 -> ScalarType.Short;
      case I32 -> ScalarType.Int;
      case I64 -> ScalarType.Long;
      case F16 -> ScalarType.Half;
      case BF16 -> ScalarType.BFloat16;
      case F32 -> ScalarType.Float;
      case F64 -> ScalarType.Double;
    };
  }

  static DType of(ScalarType type) {
    return switch (type) {
      case Bool -> BOOL;
      case Byte -> U8;
      case Char -> I8;
      case Short -> I16;
      case Int -> I32;
      case Long -> I64;
      case Half -> F16;
      case BFloat16 -> BF16;
      case Float -> F32;
      case Double -> F64;
      default ->
          throw new UnsupportedOperationException("tensors of dtype " + type + " cannot be stored");
    };
  }

  /** JDK 17 has no Float.float16ToFloat yet. */
  private static float halfToFloat(short half) {
    final int sign = (half & 0x8000) << 16;
    final int exponent = half >> 10 & 0x1f;
    final int mantissa = half & 0x3ff;
    if (exponent == 0) {
      final float magnitude = Math.scalb((float) mantissa, -24);
      return sign == 0 ? magnitude : -magnitude;
    }
    final int bits = exponent == 0x1f ? 0x7f800000 : exponent + 112 << 23;
    return Float.intBitsToFloat(sign | bits | mantissa << 13);
  }
}
