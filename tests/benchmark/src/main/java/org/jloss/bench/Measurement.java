package org.jloss.bench;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What was measured of one line of the table.
 *
 * @param id the loss
 * @param size its size in a word
 * @param shape the shape of its first input
 * @param parameters what differs from the loss's defaults
 * @param inputs its inputs
 * @param microseconds the median time of a call by each way
 * @param ratios quartiles of the ratios of times measured in turns
 * @param pairs how many such pairs there were
 * @param peakBytes the most bytes of tensors at once beyond the inputs, by each way
 * @param gradientBytes the bytes of all gradients
 * @param value the loss, by which the companion script knows that its inputs are the same
 */
record Measurement(
    String id,
    String size,
    String shape,
    Map<String, Object> parameters,
    List<Draw> inputs,
    Map<String, Double> microseconds,
    Map<String, Quartiles> ratios,
    int pairs,
    @JsonProperty("peak_bytes") Map<String, Long> peakBytes,
    @JsonProperty("gradient_bytes") long gradientBytes,
    double value) {

  /** Quartiles of a number. */
  record Quartiles(double low, double median, double high) {
    static Quartiles of(double[] values) {
      final double[] sorted = values.clone();
      Arrays.sort(sorted);
      return new Quartiles(at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75));
    }

    private static double at(double[] sorted, double q) {
      final double position = q * (sorted.length - 1);
      final int below = (int) position;
      final int above = Math.min(below + 1, sorted.length - 1);
      return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
  }

  /** One iteration: what the counters held. */
  interface Round {
    double get(String counter);
  }

  static Measurement of(Workload workload, List<Round> rounds) {
    final Map<String, Double> times = new LinkedHashMap<>();
    final Map<String, Long> peaks = new LinkedHashMap<>();
    for (final String way : Ways.NAMES) {
      times.put(way, median(rounds, r -> r.get(way) / r.get("calls") / 1000));
      peaks.put(way, (long) rounds.get(0).get(way + "Peak"));
    }
    final Map<String, Quartiles> ratios = new LinkedHashMap<>();
    for (final String way : List.of("fused", "autograd")) {
      ratios.put(
          "composed/" + way,
          Quartiles.of(rounds.stream().mapToDouble(r -> r.get("composed") / r.get(way)).toArray()));
    }
    return new Measurement(
        workload.id(),
        workload.size(),
        workload.shape(),
        workload.parameters(),
        workload.inputs(),
        times,
        ratios,
        rounds.size(),
        peaks,
        (long) rounds.get(0).get("gradientBytes"),
        rounds.get(0).get("value"));
  }

  private static double median(List<Round> rounds, ToDoubleFunction<Round> of) {
    return Quartiles.of(rounds.stream().mapToDouble(of).toArray()).median();
  }
}
