package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.jloss.Losses;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
  @ParameterizedTest
  @ValueSource(strings = {"verify", "list", "eval", "plot", "python", "bench"})
  void everyCommandHasHelpAndVersion(String command) {
    final String help = Run.jloss(command, "--help").assertHeld();
    assertTrue(help.startsWith("Usage: jloss " + command), help);
    assertTrue(help.contains("Exit status:"), help);
    final String version = Run.jloss(command, "--version").assertHeld();
    assertTrue(version.matches("jloss \\d+\\.\\d+\\.\\d+\\S* \\(libtorch 2\\.10\\.0, .*\\)\\s*"));
  }

  @Test
  void mainHasHelpAndVersion() {
    assertTrue(Run.jloss("--help").assertHeld().contains("verify"));
    assertTrue(Run.jloss("--version").assertHeld().startsWith("jloss "));
  }

  @Test
  void outputThatCannotBeWrittenIsAnError() throws Exception {
    final Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                Main.class.getName(),
                "list")
            .redirectOutput(new File("/dev/full"))
            .start();
    final String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(2, process.waitFor());
    assertEquals("jloss: standard output could not be written\n", err);
  }

  @Test
  void withoutACommandItSaysHowItIsUsed() {
    final Run run = Run.jloss();
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("Usage: jloss"), run.err());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "jump | jloss: there is no command 'jump'; there are verify, list, eval, plot, python, bench"
            + " (see jloss --help)",
        "--jump | jloss: Unknown option: '--jump' (see jloss --help)",
        "list --jsn | jloss list: Unknown option: '--jsn' (see jloss list --help)",
        "eval mse_loss | jloss eval: Missing required option: '--in=FILE' (see jloss eval --help)",
        "plot | jloss plot: Missing required parameter: 'ID' (see jloss plot --help)",
        "plot mse_loss --set 3 | jloss plot: Value for option '--set' (NAME=VALUE) should be in"
            + " KEY=VALUE format but was 3 (see jloss plot --help)",
        "python | jloss python: expected a script, -, -m MODULE or -c CODE (see jloss python --help)",
        "python gone.py | jloss python: gone.py: no such file",
        "verify gone | jloss verify: gone: no such file",
        "verify --loss no_loss | jloss verify: there are no reference cases of no_loss",
        "plot mse_loss -o x.gif | jloss plot: x.gif: expected a name that ends in .png or .svg",
        "plot mse_loss --set reduction=batchmean | jloss plot: mse_loss: expected reduction one of none,"
            + " mean, sum, got batchmean",
        "plot huber_loss --set delta=0 | jloss plot: huber_loss: expected delta > 0, got 0.0",
        "plot huber_loss --set delta=x | jloss plot: huber_loss: expected delta > 0, got 'x'",
        "plot contrastive_loss --set margin=inf | jloss plot: contrastive_loss: expected margin finite,"
            + " got Infinity",
        "plot triplet_margin_loss --set margin=inf | jloss plot: triplet_margin_loss: expected margin"
            + " > 0 and finite, got Infinity",
        "plot mse_loss --set beta=1 | jloss plot: mse_loss: unexpected parameter beta; there are"
            + " reduction",
        "plot batch_hard_miner | jloss plot: batch_hard_miner is no loss: it has no curve",
        "plot negative_queue | jloss plot: negative_queue keeps a state between calls; there is nothing"
            + " to compute from one"
      })
  void aWrongArgumentIsOneLine(String arguments, String line) {
    Run.jloss((Object[]) arguments.split(" ")).assertRefused(line);
  }

  @Test
  void anUnknownLossIsNamedWithThoseThatAre() {
    final String all = String.join(", ", Losses.all().stream().map(s -> s.id()).toList());
    final String rest = "there is no loss 'no_loss'; the nearest is mse_loss; there are " + all;
    Run.jloss("list", "no_loss").assertRefused("jloss list: " + rest);
    Run.jloss("plot", "no_loss").assertRefused("jloss plot: " + rest);
    Run.jloss("eval", "no_loss", "--in", "x").assertRefused("jloss eval: " + rest);
  }

  @ParameterizedTest
  @CsvSource({
    "FocalLoss, focal_loss",
    "KLDivLoss, kl_div_loss",
    "CrossEntropy, cross_entropy_loss",
    "focal, focal_loss",
    "hubber_loss, huber_loss"
  })
  void anUnknownLossHasANearest(String id, String nearest) {
    final String line =
        "jloss list: there is no loss '" + id + "'; the nearest is " + nearest + ";";
    final Run run = Run.jloss("list", id);
    assertTrue(run.err().startsWith(line), run.err());
  }

  @Test
  void listNamesAll() {
    final String text = Run.jloss("list").assertHeld();
    for (final var spec : Losses.all()) {
      assertTrue(text.contains("\n" + spec.id() + " "), spec.id());
      final String one = Run.jloss("list", spec.id()).assertHeld();
      assertTrue(one.startsWith(spec.id() + " ("), one);
      assertTrue(one.contains(spec.formula()), one);
    }
  }

  @Test
  void listAsJsonHasAllFields() throws Exception {
    final JsonNode root = new JsonMapper().readTree(Run.jloss("list", "--json").assertHeld());
    assertEquals(Losses.all().size(), root.path("losses").size());
    for (final JsonNode loss : root.path("losses")) {
      final Set<String> fields = new TreeSet<>();
      loss.fieldNames().forEachRemaining(fields::add);
      assertEquals(
          Set.of(
              "id",
              "kind",
              "family",
              "class",
              "formula",
              "source",
              "twice_differentiable",
              "inputs",
              "parameters"),
          fields);
    }
    final JsonNode huber =
        new JsonMapper()
            .readTree(Run.jloss("list", "huber_loss", "--json").assertHeld())
            .at("/losses/0");
    final JsonNode reduction = huber.at("/parameters/0");
    assertEquals("mean", reduction.path("default").textValue());
    assertEquals(3, reduction.path("choices").size());
    final JsonNode delta = huber.at("/parameters/1");
    assertEquals(1.0, delta.path("default").doubleValue());
    assertEquals("inf", delta.path("max").textValue());
    assertTrue(delta.path("open_min").booleanValue());
  }
}
