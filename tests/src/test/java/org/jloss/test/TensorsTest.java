package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Autograd;
import org.jloss.NdArray;
import org.jloss.Tensors;
import org.jloss.parity.TensorEntry;
import org.jloss.regression.MseLoss;
import org.jloss.selfsupervised.NegativeQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Making and reading tensors, and the queue that keeps some. */
class TensorsTest {
  private static FloatBuffer direct(int floats) {
    return ByteBuffer.allocateDirect(4 * floats).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  @Test
  void aBufferIsTakenFromItsPositionToItsLimit() {
    final FloatBuffer buffer = direct(6).put(new float[] {1, 2, 3, 4, 5, 6});
    buffer.position(2).limit(5);
    try (Tensor tensor = Tensors.over(buffer)) {
      assertArrayEquals(new float[] {3, 4, 5}, Tensors.toFloats(tensor));
      buffer.put(2, 9);
      assertArrayEquals(new float[] {9, 4, 5}, Tensors.toFloats(tensor));
    }
  }

  @Test
  void aBufferOfForeignOrderOrOnTheHeapIsRefused() {
    final FloatBuffer foreign =
        ByteBuffer.allocateDirect(8)
            .order(
                ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN
                    ? ByteOrder.LITTLE_ENDIAN
                    : ByteOrder.BIG_ENDIAN)
            .asFloatBuffer();
    assertThrows(IllegalArgumentException.class, () -> Tensors.over(foreign));
    assertThrows(
        IllegalArgumentException.class, () -> Tensors.over(FloatBuffer.wrap(new float[2])));
  }

  @Test
  void closedTensorsAndWrongShapesAreErrorsInWords() {
    final Tensor closed = Tensors.of(new float[] {1});
    closed.close();
    assertThrows(IllegalStateException.class, () -> Tensors.item(closed));
    assertThrows(IllegalStateException.class, () -> Tensors.toFloats(closed));
    assertThrows(IllegalStateException.class, () -> NdArray.of(closed));
    assertThrows(IllegalStateException.class, () -> Autograd.backward(closed));
    assertThrows(IllegalStateException.class, () -> NegativeQueue.of(closed, 0));
    final long max = Long.MAX_VALUE;
    assertThrows(IllegalArgumentException.class, () -> Tensors.of(new float[2], max, max));
    assertThrows(IllegalArgumentException.class, () -> NdArray.of(new float[0], 0, max, max));
    assertThrows(IllegalArgumentException.class, () -> Tensors.of(new float[2], -1, -2));
    assertThrows(IllegalArgumentException.class, () -> Tensors.empty(ScalarType.Float, -3));
  }

  @Test
  void elementsThatAreNotInMemoryAreRead() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, -2, 3}).requires_grad_(true);
      final Tensor zeros = slope(slope(x.abs(), x), x);
      assertTrue(zeros._is_zerotensor());
      assertArrayEquals(new float[3], Tensors.toFloats(zeros));
      assertArrayEquals(new float[3], NdArray.of(zeros).floats());
      final Tensor parts = Tensors.of(new float[] {0, 1, 0, -2}, 2, 2);
      final Tensor negated = torch.imag(torch.view_as_complex(parts).conj());
      assertTrue(negated.is_neg());
      assertArrayEquals(new float[] {-1, 2}, Tensors.toFloats(negated));
      assertArrayEquals(new double[] {-1, 2}, TensorEntry.of(negated).toDoubles());
      assertArrayEquals(new double[3], TensorEntry.of(zeros).toDoubles());
    }
  }

  private static Tensor slope(Tensor y, Tensor x) {
    return torch
        .grad(
            new TensorVector(y),
            new TensorVector(x),
            new TensorVector(torch.ones_like(y)),
            new BoolOptional(true),
            true,
            false)
        .get(0);
  }

  @Test
  void anEmptyBatchOfArraysHasASumOfZero() {
    final var result =
        new MseLoss(org.jloss.Reduction.SUM)
            .valueAndGradient(NdArray.of(new float[0], 0, 3), NdArray.of(new float[0], 0, 3));
    assertEquals(0, result.item());
    assertArrayEquals(new long[] {0, 3}, result.gradient("input").shape());
  }

  @Test
  void thePresetsErrorsKeepTheirText() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1}).requires_grad_(true);
      final Tensor value = new MseLoss().apply(x, Tensors.of(new float[] {2}));
      Autograd.backward(value);
      final RuntimeException again =
          assertThrows(RuntimeException.class, () -> Autograd.backward(value));
      assertTrue(again.getMessage().startsWith("Trying to backward"), again.getMessage());
    }
  }

  @Test
  void aQueueTakesRowsOfItsOwn() {
    try (PointerScope scope = new PointerScope();
        NegativeQueue queue = NegativeQueue.of(Tensors.of(new float[] {1, 2, 3}, 3, 1), 2)) {
      queue.enqueue(queue.keys());
      assertEquals(2, queue.position());
      assertArrayEquals(new float[] {2, 3, 1}, Tensors.toFloats(queue.keys()));
    }
  }

  @Test
  void aQueueIsSavedLoadedAndClosedWhileOthersUseIt(@TempDir Path folder) throws Exception {
    try (NegativeQueue queue = new NegativeQueue(4, 2);
        Tensor keys = Tensors.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2)) {
      queue.enqueue(keys);
      queue.save(folder.resolve("queue.safetensors"));
      try (NegativeQueue same = NegativeQueue.load(folder.resolve("queue.safetensors"))) {
        assertEquals(3, same.position());
        assertArrayEquals(Tensors.toFloats(queue.keys()), Tensors.toFloats(same.keys()));
      }
    }
    final ExecutorService pool = Executors.newSingleThreadExecutor();
    try {
      for (int i = 0; i < 20; i++) {
        final NegativeQueue queue = new NegativeQueue(64, 16);
        final Future<?> use =
            pool.submit(
                () -> {
                  try (Tensor keys = Tensors.of(new float[160], 10, 16)) {
                    while (true) {
                      queue.enqueue(keys);
                      queue.position();
                    }
                  } catch (IllegalStateException closed) {
                    return closed.getMessage();
                  }
                });
        Thread.sleep(5);
        queue.close();
        assertTrue(use.get().toString().contains("closed"));
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
