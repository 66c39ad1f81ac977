package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.MemoryBudget;
import org.jloss.NdArray;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.junit.jupiter.api.Test;

/** Nothing is left behind, over many calls of all kinds. */
class MemoryTest {
  private static final int WARM_UP = 20_000;
  private static final int CALLS = 200_000;
  private static final long ALLOWED = 16L << 20;

  @Test
  void soak() throws IOException {
    final List<Spec> specs = Samples.losses().toList();
    calls(specs, 0, WARM_UP);
    System.gc();
    final long objects = Pointer.totalCount();
    final long resident = resident();
    calls(specs, WARM_UP, CALLS);
    System.gc();
    assertEquals(objects, Pointer.totalCount(), "native objects");
    final long grown = resident() - resident;
    assertTrue(grown <= ALLOWED, "resident memory grew by " + (grown >> 10) + " KiB");
  }

  @Test
  void aTensorBeyondTheBudgetIsAnErrorInWords() {
    final Throwable huge =
        assertThrows(OutOfMemoryError.class, () -> Tensors.empty(ScalarType.Float, 1L << 45));
    assertTrue(huge.getMessage().contains("memory budget"), huge.getMessage());
    MemoryBudget.limit(100L);
    try {
      Tensors.of(new float[25]).close();
      assertThrows(OutOfMemoryError.class, () -> Tensors.of(new float[26]));
    } finally {
      MemoryBudget.limit(null);
    }
  }

  @Test
  void emptyTensorsHaveNoAddress() {
    try (Tensor empty = Tensors.of(new float[0])) {
      assertEquals(0, Tensors.toFloats(empty).length);
      assertEquals(0, Tensors.toDoubles(empty).length);
    }
  }

  private static void calls(List<Spec> specs, int from, int to) {
    for (int i = from; i < to; i++) {
      final Spec spec = specs.get(i % specs.size());
      final Loss loss = Losses.create(spec.id(), i % 7 == 0 ? none(spec) : Map.of());
      try (PointerScope scope = new PointerScope()) {
        final Tensor[] inputs =
            Samples.inputs(spec, Samples.Sizes.SMALL, ScalarType.Float, i % 2 == 0, i);
        switch (i / specs.size() % 5) {
          case 0 -> loss.apply(inputs);
          case 1 -> {
            inputs[0].requires_grad_(true);
            loss.apply(inputs).sum().backward();
          }
          case 2 -> {
            try (ValueAndGradient result = loss.valueAndGradient(inputs)) {
              Tensors.toFloats(result.value());
            }
          }
          case 3 -> {
            final NdArray[] arrays = new NdArray[inputs.length];
            for (int k = 0; k < arrays.length; k++) {
              arrays[k] = inputs[k] == null ? null : NdArray.of(inputs[k]);
            }
            loss.valueAndGradient(arrays);
          }
          default -> wrong(loss, inputs);
        }
      }
    }
  }

  private static Map<String, Object> none(Spec spec) {
    return spec.reductions().isEmpty() ? Map.of() : Map.of("reduction", "none");
  }

  /** Errors leave nothing behind either. */
  private static void wrong(Loss loss, Tensor[] inputs) {
    inputs[0] = inputs[0].unsqueeze(0).unsqueeze(0).unsqueeze(0);
    try {
      loss.apply(inputs);
      throw new AssertionError(loss + " took a wrong shape");
    } catch (IllegalArgumentException expected) {
      // as it should be
    }
  }

  private static long resident() throws IOException {
    for (final String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new IOException("no VmRSS in /proc/self/status");
  }
}
