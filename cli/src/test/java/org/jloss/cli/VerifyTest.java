package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.jloss.parity.Safetensors;
import org.jloss.parity.TensorEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyTest {
  @TempDir Path folder;

  /** One case of the mean squared error, of which the value is this. */
  private Path reference(String name, double value) throws IOException {
    final Path file = folder.resolve(name);
    Safetensors.write(
        file,
        Map.of(
            "one/float64/input/input", TensorEntry.of(new double[] {1, 2}, 2),
            "one/float64/input/target", TensorEntry.of(new double[] {0, 0}, 2),
            "one/float64/value", TensorEntry.of(new double[] {value}),
            "one/float64/grad/input", TensorEntry.of(new double[] {1, 2}, 2)),
        Map.of(
            "jloss",
            "{\"format\": 1, \"id\": \"mse_loss\", \"oracle\": \"by hand\", \"versions\": {},"
                + " \"cases\": [{\"name\": \"one\", \"dtype\": \"float64\","
                + " \"parameters\": {\"reduction\": \"mean\"}}]}"));
    return file;
  }

  @Test
  void passes() throws IOException {
    final Run run = Run.jloss("verify", reference("good.safetensors", 2.5));
    final String[] lines = run.assertHeld().split("\\R");
    assertTrue(lines[0].startsWith("loss"), run.out());
    assertTrue(lines[1].matches("mse_loss +1 +f64 .* pass"), run.out());
    assertEquals("1 passed, 0 failed", lines[lines.length - 1]);
  }

  @Test
  void fails() throws IOException {
    reference("good.safetensors", 2.5);
    reference("wrong.safetensors", 2.6);
    final Run run = Run.jloss("verify", folder);
    assertEquals(1, run.status());
    assertEquals("", run.err());
    assertTrue(run.out().contains("FAILED mse_loss one/float64"), run.out());
    assertTrue(run.out().endsWith("1 passed, 1 failed\n"), run.out());
  }

  @Test
  void aFileOfALossThatIsNotThere() throws IOException {
    final Path file = reference("strange.safetensors", 2.5);
    // The id has as many characters, as the header tells its length.
    Files.writeString(
        file,
        Files.readString(file, StandardCharsets.ISO_8859_1).replace("mse_loss", "msx_loss"),
        StandardCharsets.ISO_8859_1);
    final Run run = Run.jloss("verify", folder);
    assertEquals(2, run.status());
    assertEquals("", run.out());
    assertEquals(
        "jloss verify: " + file + ": there is no loss 'msx_loss' (see jloss list)\n", run.err());
  }

  @Test
  void printsJson() throws IOException {
    final Run run = Run.jloss("verify", "--json", reference("wrong.safetensors", 2.6));
    assertEquals(1, run.status());
    final JsonNode root = new JsonMapper().readTree(run.out());
    assertEquals(0, root.path("passed").intValue());
    assertEquals(1, root.path("failed").intValue());
    assertEquals("mse_loss", root.at("/losses/0/id").textValue());
  }

  @Test
  void writesHtmlWithPictures() throws IOException {
    final Path html = folder.resolve("new folder/report.html");
    final Run run = Run.jloss("verify", "--html", html, reference("good.safetensors", 2.5));
    assertTrue(run.assertHeld().contains("report: " + html));
    final String page = Files.readString(html);
    assertTrue(page.contains("mse_loss"));
    assertTrue(page.contains("<svg"));
    assertFalse(page.contains("<?xml"));
  }

  @Test
  void runsTheCheckoutsCasesOfALoss() {
    final Run run = Run.jloss("verify", "--loss", "mse_loss");
    assertTrue(run.assertHeld().contains("mse_loss"));
    assertFalse(run.out().contains("huber_loss"));
    assertFalse(run.out().contains("report:"), "only the default run writes a report unasked");
  }

  @Test
  void refusesWhatHoldsNoCases() throws IOException {
    Run.jloss("verify", folder)
        .assertRefused(
            "jloss verify: " + folder + ": no .safetensors, .pt or .pth file in this folder");
    final Path plain = folder.resolve("plain.safetensors");
    Safetensors.write(plain, Map.of("x", TensorEntry.of(new double[] {1}, 1)), Map.of());
    Run.jloss("verify", plain)
        .assertRefused(
            "jloss verify: " + plain + ": holds no reference cases: no 'jloss' in its metadata");
  }

  @Test
  void refusesABrokenFileBeforeAnyCase() throws IOException {
    reference("a.safetensors", 2.5);
    final Path cut = reference("b.safetensors", 2.5);
    final byte[] bytes = Files.readAllBytes(cut);
    Files.write(cut, Arrays.copyOf(bytes, bytes.length - 1));
    final Run run = Run.jloss("verify", folder);
    assertEquals(2, run.status());
    assertEquals("", run.out());
    assertTrue(run.err().startsWith("jloss verify: " + cut + ": "), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }
}
