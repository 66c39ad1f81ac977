package org.jloss.bench;

import static org.jloss.bench.Draw.Kind.BINARY;
import static org.jloss.bench.Draw.Kind.INDEX;
import static org.jloss.bench.Draw.Kind.LOG_SIMPLEX;
import static org.jloss.bench.Draw.Kind.ONE_HOT;
import static org.jloss.bench.Draw.Kind.SIMPLEX;
import static org.jloss.bench.Draw.Kind.UNIFORM;
import static org.jloss.bench.Draw.Kind.UNIT;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Losses;

/**
 * One line of the table: a loss at one size.
 *
 * @param id the loss
 * @param size the size in a word
 * @param parameters what differs from the defaults
 * @param inputs its inputs
 * @param composed the same loss from ATen's operators; its last tensor is the value
 */
record Workload(
    String id,
    String size,
    Map<String, Object> parameters,
    List<Draw> inputs,
    Function<Tensor[], Tensor> composed) {

  private static final long[] ELEMENTS = {1_000, 100_000, 4_000_000};
  private static final String[] WORDS = {"1e3", "1e5", "4e6"};
  private static final long D = 128;

  /** What it is called on the command line and in the JSON file. */
  String key() {
    return id + "/" + size;
  }

  /** The shape of the first input. */
  String shape() {
    final Draw first = inputs.get(0);
    return Arrays.stream(first.shape()).mapToObj(Long::toString).collect(Collectors.joining("x"))
        + (first.channelsLast() ? " channels_last" : "");
  }

  /** All lines whose loss is in the library. */
  static List<Workload> all() {
    final List<Workload> all = new ArrayList<>();
    elementwise(all, "mse_loss", Map.of(), UNIFORM, UNIFORM, Composed::mse);
    elementwise(all, "huber_loss", Map.of(), UNIFORM, UNIFORM, Composed::huber);
    elementwise(all, "quantile_loss", Map.of("tau", 0.9), UNIFORM, UNIFORM, Composed::quantile);
    elementwise(all, "bce_with_logits_loss", Map.of(), UNIFORM, BINARY, Composed::bceWithLogits);
    elementwise(all, "sigmoid_focal_loss", Map.of(), UNIFORM, BINARY, Composed::sigmoidFocal);
    classes(all, "cross_entropy_loss", Composed::crossEntropy);
    classes(all, "focal_loss", Composed::focal);
    final long[][] distributions = {{10, 100}, {1000, 100}, {4000, 1000}};
    for (int i = 0; i < 3; i++) {
      add(
          all,
          "kl_div_loss",
          WORDS[i],
          Map.of(),
          Composed::klDiv,
          Draw.of("input", LOG_SIMPLEX, distributions[i]).withGradient(),
          Draw.of("target", SIMPLEX, distributions[i]));
    }
    final long[][] masks = {{1, 1, 32, 32}, {4, 1, 160, 160}, {16, 1, 512, 512}};
    final long[][] maps = {{1, 4, 16, 16}, {2, 4, 112, 112}, {8, 8, 256, 256}};
    for (int i = 0; i < 3; i++) {
      add(
          all,
          "dice_loss",
          WORDS[i],
          Map.of(),
          Composed::dice,
          Draw.of("input", UNIT, masks[i]).withGradient(),
          Draw.of("target", BINARY, masks[i]));
    }
    final Map<String, Object> multiclass =
        Map.of("mode", "multiclass", "from_logits", true, "average", "macro");
    segmentation(
        all,
        "dice_loss",
        multiclass,
        Composed::diceOfClasses,
        Draw.of("input", UNIFORM, 8, 21, 256, 256).withGradient(),
        Draw.below(21, "target", INDEX, 8, 256, 256));
    for (int i = 0; i < 3; i++) {
      add(
          all,
          "generalized_dice_loss",
          WORDS[i],
          Map.of(),
          Composed::generalizedDice,
          Draw.of("input", SIMPLEX, maps[i]).withGradient(),
          Draw.of("target", ONE_HOT, maps[i]));
    }
    segmentation(
        all,
        "generalized_dice_loss",
        Map.of(),
        Composed::generalizedDice,
        Draw.of("input", SIMPLEX, 8, 21, 256, 256).withGradient(),
        Draw.of("target", ONE_HOT, 8, 21, 256, 256));
    for (int i = 0; i < 3; i++) {
      final long n = Math.max(8, ELEMENTS[i] / D);
      add(
          all,
          "contrastive_loss",
          WORDS[i],
          Map.of(),
          Composed::contrastive,
          embedding("input1", n).withGradient(),
          embedding("input2", n).withGradient(),
          Draw.of("target", BINARY, n));
      add(
          all,
          "triplet_margin_loss",
          WORDS[i],
          Map.of(),
          Composed::tripletMargin,
          embedding("anchor", n).withGradient(),
          embedding("positive", n).withGradient(),
          embedding("negative", n).withGradient());
    }
    for (final long n : new long[] {256, 1024, 4096}) {
      add(
          all,
          "info_nce_loss",
          "N" + n,
          Map.of(),
          Composed::infoNce,
          embedding("query", n).withGradient(),
          embedding("positive", n).withGradient());
      add(
          all,
          "batch_hard_miner",
          "N" + n,
          Map.of(),
          Composed::batchHard,
          embedding("embeddings", n),
          Draw.below(n / 8.0, "labels", INDEX, n));
    }
    for (int i = 0; i < 3; i++) {
      add(
          all,
          "uncertainty_weighting",
          WORDS[i],
          Map.of(),
          Composed::uncertaintyWeighting,
          Draw.of("losses", UNIT, ELEMENTS[i]).withGradient(),
          Draw.below(1, "log_vars", UNIFORM, ELEMENTS[i]).withGradient());
    }
    return Collections.unmodifiableList(all);
  }

  /** The line of a key. */
  static Workload of(String key) {
    return all().stream().filter(w -> w.key().equals(key)).findFirst().orElseThrow();
  }

  /** Of a length that leaves the logits of pairs within a few units. */
  private static Draw embedding(String name, long n) {
    return Draw.below(0.3, name, UNIFORM, n, D);
  }

  private static void elementwise(
      List<Workload> all,
      String id,
      Map<String, Object> parameters,
      Draw.Kind input,
      Draw.Kind target,
      Function<Tensor[], Tensor> composed) {
    for (int i = 0; i < 3; i++) {
      add(
          all,
          id,
          WORDS[i],
          parameters,
          composed,
          Draw.of("input", input, ELEMENTS[i]).withGradient(),
          Draw.of("target", target, ELEMENTS[i]));
    }
  }

  private static void classes(List<Workload> all, String id, Function<Tensor[], Tensor> composed) {
    final long[][] shapes = {{100, 10}, {1000, 100}, {4000, 1000}};
    for (int i = 0; i < 3; i++) {
      add(
          all,
          id,
          WORDS[i],
          Map.of(),
          composed,
          Draw.of("input", UNIFORM, shapes[i]).withGradient(),
          Draw.below(shapes[i][1], "target", INDEX, shapes[i][0]));
    }
    segmentation(
        all,
        id,
        Map.of(),
        composed,
        Draw.of("input", UNIFORM, 8, 21, 256, 256).withGradient(),
        Draw.below(21, "target", INDEX, 8, 256, 256));
  }

  private static void segmentation(
      List<Workload> all,
      String id,
      Map<String, Object> parameters,
      Function<Tensor[], Tensor> composed,
      Draw input,
      Draw target) {
    add(all, id, "seg", parameters, composed, input, target);
    add(
        all,
        id,
        "seg-cl",
        parameters,
        composed,
        input.inChannelsLast(),
        target.shape().length == 4 ? target.inChannelsLast() : target);
  }

  private static void add(
      List<Workload> all,
      String id,
      String size,
      Map<String, Object> parameters,
      Function<Tensor[], Tensor> composed,
      Draw... inputs) {
    if (Losses.all().stream().anyMatch(spec -> spec.id().equals(id))) {
      all.add(new Workload(id, size, parameters, List.of(inputs), composed));
    }
  }
}
