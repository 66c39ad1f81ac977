package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The same bits for any number of threads, and one loss object for many threads. */
class ThreadsTest {

  @TestFactory
  Stream<DynamicTest> sameBitsForAnyNumberOfThreads() {
    return Samples.losses()
        .flatMap(
            spec ->
                Stream.of(ScalarType.Float, ScalarType.Double)
                    .flatMap(
                        dtype ->
                            Stream.of(false, true)
                                .map(
                                    none ->
                                        dynamicTest(
                                            spec.id() + " " + dtype + (none ? " none" : ""),
                                            () -> sameBits(spec, dtype, none)))));
  }

  private static void sameBits(Spec spec, ScalarType dtype, boolean none) {
    final Map<String, Object> parameters =
        none && !spec.reductions().isEmpty() ? Map.of("reduction", "none") : Map.of();
    final Loss loss = Losses.create(spec.id(), parameters);
    final int before = torch.get_num_threads();
    try (PointerScope scope = new PointerScope()) {
      final Tensor[] inputs = Samples.inputs(spec, Samples.Sizes.LARGE, dtype, true, 11);
      List<double[]> expected = null;
      for (final int threads : new int[] {1, 2, 8}) {
        torch.set_num_threads(threads);
        final List<double[]> results = new ArrayList<>();
        final ValueAndGradient result = loss.valueAndGradient(inputs);
        results.add(Tensors.toDoubles(result.value()));
        for (int i = 0; i < inputs.length; i++) {
          if (result.gradient(i) != null) {
            results.add(Tensors.toDoubles(result.gradient(i)));
          }
        }
        if (expected == null) {
          expected = results;
        }
        for (int i = 0; i < expected.size(); i++) {
          assertArrayEquals(expected.get(i), results.get(i), spec.id() + ", threads " + threads);
        }
      }
    } finally {
      torch.set_num_threads(before);
    }
  }

  @Test
  void oneLossObjectServesManyThreads() throws Exception {
    final ExecutorService pool = Executors.newFixedThreadPool(8);
    try {
      for (final Spec spec : Samples.losses().toList()) {
        final Loss loss = Losses.create(spec.id());
        final double expected = run(loss, 1);
        final List<Future<Double>> results = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
          results.add(pool.submit(() -> run(loss, 40)));
        }
        for (final Future<Double> result : results) {
          assertEquals(expected, result.get(), spec.id());
        }
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** Value and gradient of the same inputs, many times; the sum of all numbers of the last time. */
  private static double run(Loss loss, int times) {
    double sum = 0;
    for (int i = 0; i < times; i++) {
      try (PointerScope scope = new PointerScope()) {
        final Tensor[] inputs =
            Samples.inputs(loss.spec(), Samples.Sizes.SMALL, ScalarType.Double, true, 17);
        inputs[0].requires_grad_(true);
        final Tensor value = loss.apply(inputs);
        value.backward();
        sum = Tensors.item(value);
        for (final double g : Tensors.toDoubles(inputs[0].grad())) {
          sum += g;
        }
      }
    }
    return sum;
  }
}
