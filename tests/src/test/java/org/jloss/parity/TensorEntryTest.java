package org.jloss.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TensorEntryTest {
  @ParameterizedTest
  @EnumSource
  void crossesToTensorsAndBack(DType dtype) {
    for (final long[] shape : new long[][] {{}, {1}, {5}, {2, 3}, {0}, {3, 0, 2}, {2, 1, 3, 4}}) {
      final TensorEntry entry = random(dtype, shape);
      try (Tensor tensor = entry.toTensor()) {
        assertEquals(dtype.scalarType(), tensor.scalar_type().intern());
        assertArrayEquals(shape, tensor.shape());
        assertTrue(tensor.is_contiguous());
        assertFalse(tensor.requires_grad());
        assertEquals(entry.data(), TensorEntry.of(tensor).data());
        assertEquals(entry.toString(), TensorEntry.of(tensor).toString());
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsTheNumbersThatTorchReads(DType dtype) {
    final TensorEntry entry = random(dtype, 1000);
    try (PointerScope scope = new PointerScope()) {
      final Tensor doubles = entry.toTensor().to(torch.ScalarType.Double);
      assertArrayEquals(TensorEntry.of(doubles).toDoubles(), entry.toDoubles());
      if (!dtype.isFloating()) {
        final Tensor longs = entry.toTensor().to(torch.ScalarType.Long);
        assertArrayEquals(TensorEntry.of(longs).toLongs(), entry.toLongs());
      }
    }
  }

  @Test
  void readsAllHalves() {
    final ByteBuffer bits = ByteBuffer.allocate(2 << 16).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 1 << 16; i++) {
      bits.putShort((short) i);
    }
    bits.flip();
    for (final DType dtype : new DType[] {DType.F16, DType.BF16}) {
      final TensorEntry entry = TensorEntry.of(dtype, new long[] {1 << 16}, bits);
      try (PointerScope scope = new PointerScope()) {
        final Tensor doubles = entry.toTensor().to(torch.ScalarType.Double);
        assertArrayEquals(TensorEntry.of(doubles).toDoubles(), entry.toDoubles());
      }
    }
  }

  @Test
  void takesAnyByteForTrue() {
    final TensorEntry entry =
        TensorEntry.of(DType.BOOL, new long[] {3}, ByteBuffer.wrap(new byte[] {0, 2, -1}));
    assertArrayEquals(new long[] {0, 1, 1}, entry.toLongs());
    try (Tensor tensor = entry.toTensor()) {
      assertEquals(ByteBuffer.wrap(new byte[] {0, 1, 1}), TensorEntry.of(tensor).data());
    }
  }

  @Test
  void takesTensorsOfAnyStrides() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor base = TensorEntry.of(LongStream.range(0, 24).toArray(), 2, 3, 4).toTensor();
      assertArrayEquals(
          new long[] {0, 12, 4, 16, 8, 20, 1, 13},
          Arrays.copyOf(TensorEntry.of(base.transpose(0, 2)).toLongs(), 8));
      assertArrayEquals(
          new long[] {5, 17}, TensorEntry.of(base.select(1, 1).select(1, 1)).toLongs());
      assertArrayEquals(
          new long[] {7, 7, 7}, TensorEntry.of(base.flatten().narrow(0, 7, 1).expand(3)).toLongs());
      final Tensor variable = TensorEntry.of(new double[] {1, 2}, 2).toTensor();
      variable.requires_grad_(true);
      assertArrayEquals(new double[] {1, 2}, TensorEntry.of(variable).toDoubles());
      assertArrayEquals(new double[] {1, 4}, TensorEntry.of(variable.mul(variable)).toDoubles());
      assertArrayEquals(new double[] {-1, -2}, TensorEntry.of(variable._neg_view()).toDoubles());
    }
  }

  @Test
  void refusesTensorsWithoutPlainElements() {
    try (PointerScope scope = new PointerScope()) {
      assertThrows(IllegalArgumentException.class, () -> TensorEntry.of(new Tensor()));
      final Tensor dense = torch.eye(2);
      assertThrows(UnsupportedOperationException.class, () -> TensorEntry.of(dense.to_sparse()));
      final Tensor complex = dense.to(torch.ScalarType.ComplexFloat);
      assertThrows(UnsupportedOperationException.class, () -> TensorEntry.of(complex));
      dense.close();
      assertThrows(IllegalStateException.class, () -> TensorEntry.of(dense));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "CHANNELS_LAST, 2 3 4 5, 60 1 15 3",
    "TRANSPOSED, 2 3 4, 12 1 3",
    "TRANSPOSED, 3 4, 1 3",
    "STRIDED, 2 3, 6 2",
    "STRIDED, 5, 2",
    "EXPANDED, 1 3, 0 1",
    "CONTIGUOUS, 2 3, 3 1",
  })
  void laysTensorsOut(Layout layout, String shape, String strides) {
    for (final DType dtype : DType.values()) {
      final TensorEntry entry = random(dtype, numbers(shape));
      try (Tensor tensor = entry.toTensor(layout)) {
        final long[] expected = numbers(strides);
        assertArrayEquals(expected, layout.strides(entry.shape()));
        for (int i = 0; i < expected.length; i++) {
          assertEquals(expected[i], tensor.stride(i));
        }
        assertEquals(entry.data(), TensorEntry.of(tensor).data());
      }
    }
  }

  @Test
  void laysOutAsTorchDoes() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor tensor = random(DType.F32, 2, 3, 4, 5).toTensor();
      final Tensor channelsLast = tensor.contiguous(torch.MemoryFormat.ChannelsLast);
      final Tensor transposed = tensor.transpose(-1, -2).contiguous().transpose(-1, -2);
      for (int i = 0; i < 4; i++) {
        final long[] shape = tensor.shape();
        assertEquals(channelsLast.stride(i), Layout.CHANNELS_LAST.strides(shape)[i]);
        assertEquals(transposed.stride(i), Layout.TRANSPOSED.strides(shape)[i]);
      }
    }
  }

  @Test
  void fillsGapsWithNaN() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor tensor = TensorEntry.of(new double[] {1, 2, 3}, 3).toTensor(Layout.STRIDED);
      final Tensor storage = torch.as_strided(tensor, new long[] {5}, new long[] {1});
      assertArrayEquals(
          new double[] {1, Double.NaN, 2, Double.NaN, 3}, TensorEntry.of(storage).toDoubles());
    }
  }

  @Test
  void keepsOneRowOfAnExpandedTensor() {
    final TensorEntry entry = TensorEntry.of(new float[] {1, 2, 1, 2, 1, 2}, 3, 2);
    try (Tensor tensor = entry.toTensor(Layout.EXPANDED)) {
      assertEquals(0, tensor.stride(0));
      assertArrayEquals(entry.toDoubles(), TensorEntry.of(tensor).toDoubles());
    }
  }

  @Test
  void refusesAnUnsuitableLayout() {
    final TensorEntry vector = TensorEntry.of(new float[3], 3);
    for (final Layout layout : new Layout[] {Layout.CHANNELS_LAST, Layout.TRANSPOSED}) {
      assertThrows(IllegalArgumentException.class, () -> vector.toTensor(layout));
    }
    final TensorEntry scalar = TensorEntry.of(new float[1]);
    for (final Layout layout : new Layout[] {Layout.STRIDED, Layout.EXPANDED}) {
      assertThrows(IllegalArgumentException.class, () -> scalar.toTensor(layout));
    }
  }

  @Test
  void refusesBytesThatDoNotFit() {
    final ByteBuffer bytes = ByteBuffer.allocate(8);
    final long large = 1L << 40;
    for (final long[] shape : new long[][] {{}, {3}, {-1}, {large, large}, {0, large, large}}) {
      assertThrows(IllegalArgumentException.class, () -> TensorEntry.of(DType.F32, shape, bytes));
    }
    assertThrows(IllegalArgumentException.class, () -> TensorEntry.of(new double[2], 3));
  }

  @Test
  void isImmutable() {
    final long[] shape = {2};
    final TensorEntry entry = TensorEntry.of(DType.U8, shape, ByteBuffer.wrap(new byte[] {1, 2}));
    shape[0] = 7;
    entry.shape()[0] = 7;
    assertEquals("uint8[2]", entry.toString());
    assertTrue(entry.data().isReadOnly());
    entry.data().get();
    assertEquals(2, entry.data().remaining());
  }

  @Test
  void leavesNothingNativeBehind() {
    final TensorEntry entry = random(DType.F32, 2, 3);
    try (TensorOptions loaded = new TensorOptions(torch.ScalarType.Float)) {
      assertFalse(loaded.isNull());
    }
    Pointer.deallocateReferences();
    final long before = Pointer.totalCount();
    for (int i = 0; i < 1000; i++) {
      try (Tensor tensor = entry.toTensor();
          Tensor strided = entry.toTensor(Layout.STRIDED)) {
        TensorEntry.of(tensor);
        TensorEntry.of(strided);
      }
    }
    assertEquals(before, Pointer.totalCount());
    try (PointerScope scope = new PointerScope()) {
      entry.toTensor();
    }
    assertEquals(before, Pointer.totalCount());
  }

  static TensorEntry random(DType dtype, long... shape) {
    final byte[] bytes = new byte[(int) TensorEntry.numel(shape) * dtype.bytes()];
    new Random(7).nextBytes(bytes);
    if (dtype == DType.BOOL) {
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] &= 1;
      }
    }
    return TensorEntry.of(dtype, shape, ByteBuffer.wrap(bytes));
  }

  private static long[] numbers(String text) {
    return Arrays.stream(text.split(" ")).mapToLong(Long::parseLong).toArray();
  }
}
