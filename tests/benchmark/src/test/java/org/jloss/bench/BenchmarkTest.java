package org.jloss.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The benchmark measures what it says; how fast is for a quiet machine to tell. */
class BenchmarkTest {

  static Stream<String> small() {
    return Workload.all().stream().filter(w -> w.inputs().get(0).numel() < 1e5).map(Workload::key);
  }

  static Stream<String> medium() {
    return Workload.all().stream()
        .filter(w -> w.inputs().get(0).numel() >= 3e4 && w.inputs().get(0).numel() < 1e6)
        .map(Workload::key);
  }

  @ParameterizedTest
  @MethodSource("small")
  void allWaysComputeTheSame(String key) {
    try (Ways ways = new Ways(Workload.of(key))) {
      final double[] composed = ways.value(Ways.COMPOSED);
      final double tolerance = 1e-5 * Math.abs(composed[0]);
      assertArrayEquals(composed, ways.value(Ways.FUSED), tolerance, key);
      assertArrayEquals(composed, ways.value(Ways.AUTOGRAD), tolerance, key);
    }
  }

  @ParameterizedTest
  @MethodSource("medium")
  void nothingBesidesTheGradients(String key) {
    // The rest is partial sums and the like: the miner's too, beside its copy of the embeddings.
    final double limit = Workload.of(key).id().equals("batch_hard_miner") ? 1.2 : 1.1;
    try (Ways ways = new Ways(Workload.of(key))) {
      for (final int way : List.of(Ways.FUSED, Ways.AUTOGRAD)) {
        ways.run(way);
        final double peak = (double) ways.peakBytes(way) / ways.gradientBytes();
        assertTrue(peak < limit, () -> key + " " + Ways.NAMES.get(way) + ": " + peak);
      }
    }
  }

  @Test
  void wrongArgumentsAreRefused() {
    assertEquals(2, BenchmarkMain.run("--row", "no_such_loss"));
    assertEquals(2, BenchmarkMain.run("--speed"));
    assertEquals(2, BenchmarkMain.run("--row", "mse_loss", "--json", "no/such/folder/x.json"));
  }
}
