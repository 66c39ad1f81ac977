package org.jloss.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jloss.parity.Safetensors;
import org.jloss.parity.TensorEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeFile() throws IOException {
    file = write("in.safetensors", Map.of("input", floats(1, 2), "target", floats(0, 0)));
  }

  private static TensorEntry floats(float... values) {
    return TensorEntry.of(values, values.length);
  }

  private Path write(String name, Map<String, TensorEntry> tensors) throws IOException {
    final Path path = folder.resolve(name);
    Safetensors.write(path, tensors, Map.of());
    return path;
  }

  private static void assertBroken(Path path, String problem) {
    Run.jloss("eval", "mse_loss", "--in", path)
        .assertRefused("jloss eval: " + path + ": " + problem);
  }

  @Test
  void printsTheValue() {
    assertEquals(
        lines("value  float32[]  2.5"), Run.jloss("eval", "mse_loss", "--in", file).assertHeld());
  }

  @Test
  void printsTheGradients() {
    assertEquals(
        lines("value  float32[]  5.0", "grad/input  float32[2]  [2.0, 4.0]"),
        Run.jloss("eval", "mse_loss", "--set", "reduction=sum", "--grad", "--in", file)
            .assertHeld());
  }

  @Test
  void printsTheFirstElements() throws IOException {
    final Path many =
        write(
            "many.safetensors",
            Map.of(
                "input",
                TensorEntry.of(new double[12], 3, 4),
                "target",
                TensorEntry.of(new double[12], 3, 4)));
    assertEquals(
        lines("value  float64[3, 4]  [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, ...]"),
        Run.jloss("eval", "mse_loss", "--set", "reduction=none", "--in", many).assertHeld());
  }

  @Test
  void writesResultsAndReadsThemAgain() throws IOException {
    final Path out = folder.resolve("out.safetensors");
    Run.jloss("eval", "mse_loss", "--in", file, "--out", out).assertHeld();
    final Safetensors results = Safetensors.read(out);
    assertArrayEquals(new double[] {2.5}, results.entries().get("value").toDoubles());
    assertArrayEquals(new double[] {1, 2}, results.entries().get("grad/input").toDoubles());
    assertEquals(Map.of("loss", "mse_loss", "reduction", "mean"), results.metadata());
  }

  @Test
  void printsJson() throws IOException {
    final Path infinite =
        write(
            "inf.safetensors",
            Map.of("input", floats(1, Float.POSITIVE_INFINITY), "target", floats(0, 0)));
    final JsonNode root =
        new JsonMapper()
            .readTree(
                Run.jloss("eval", "mse_loss", "--grad", "--json", "--in", infinite).assertHeld());
    assertEquals("mse_loss", root.path("loss").textValue());
    assertEquals("mean", root.at("/parameters/reduction").textValue());
    assertEquals("float32", root.at("/results/value/dtype").textValue());
    assertEquals(0, root.at("/results/value/shape").size());
    assertEquals("inf", root.at("/results/value/data/0").textValue());
    final JsonNode gradient = root.path("results").path("grad/input");
    assertEquals(1.0, gradient.at("/data/0").doubleValue());
    assertEquals(2, gradient.at("/shape/0").intValue());
  }

  @Test
  void takesAPrefix() throws IOException {
    final Path prefixed =
        write(
            "prefixed.safetensors",
            Map.of("case.input", floats(3), "case.target", floats(1), "other", floats(1)));
    assertEquals(
        lines("value  float32[]  4.0"),
        Run.jloss("eval", "mse_loss", "--prefix", "case.", "--in", prefixed).assertHeld());
  }

  @Test
  void readsFilesOfTorchSave() {
    final Path torch =
        Path.of(System.getProperty("jloss.home"), "tests/src/test/resources/parity/reference.pt");
    assertTrue(
        Run.jloss("eval", "mse_loss", "--in", torch, "--prefix", "small/float32/input/")
            .assertHeld()
            .startsWith("value  float32[]  "));
  }

  @Test
  void runsMiners() throws IOException {
    final Path batch =
        write(
            "batch.safetensors",
            Map.of(
                "embeddings",
                TensorEntry.of(new float[] {1, 0, 0.9f, 0.1f, 0, 1}, 3, 2),
                "labels",
                TensorEntry.of(new long[] {0, 0, 1}, 3)));
    assertTrue(
        Run.jloss("eval", "batch_hard_miner", "--in", batch)
            .assertHeld()
            .startsWith("output/anchor  int64[2]  [0, 1]"));
  }

  @Test
  void notesTensorsThatItDoesNotUse() throws IOException {
    final Path more =
        write(
            "more.safetensors",
            Map.of("input", floats(3), "target", floats(1), "wieght", floats(1)));
    final Run run = Run.jloss("eval", "mse_loss", "--in", more);
    assertEquals(0, run.status());
    assertEquals(
        lines("jloss eval: note: mse_loss has no input 'wieght', tensor not used"), run.err());
  }

  @Test
  void refusesMissingFiles() {
    assertBroken(folder.resolve("gone.safetensors"), "no such file");
    assertBroken(folder.resolve("gone.pt"), "no such file");
    assertBroken(folder, "is not a regular file");
  }

  @Test
  void refusesACutOffFile() throws IOException {
    final byte[] bytes = Files.readAllBytes(file);
    final Path cut = folder.resolve("cut.safetensors");
    for (int length = 0; length < bytes.length; length++) {
      Files.write(cut, Arrays.copyOf(bytes, length));
      final Run run = Run.jloss("eval", "mse_loss", "--in", cut);
      assertEquals(2, run.status());
      assertTrue(run.err().startsWith("jloss eval: " + cut + ": "), run.err());
      assertEquals(1, run.err().lines().count(), run.err());
    }
  }

  @Test
  void refusesAWrongHeader() throws IOException {
    final Path text = folder.resolve("text.safetensors");
    Files.writeString(text, "this is no file of tensors");
    final Run run = Run.jloss("eval", "mse_loss", "--in", text);
    assertEquals(2, run.status());
    assertEquals(1, run.err().lines().count(), run.err());
    Files.write(text, header("{\"input\": 3}"));
    final Run second = Run.jloss("eval", "mse_loss", "--in", text);
    assertEquals(2, second.status());
    assertEquals(1, second.err().lines().count(), second.err());
  }

  @Test
  void refusesHugeLengths() throws IOException {
    final Path huge = folder.resolve("huge.safetensors");
    for (final String shape :
        new String[] {"[9223372036854775807]", "[4294967296,4294967296]", "[1000000000000]"}) {
      Files.write(
          huge,
          header(
              "{\"input\":{\"dtype\":\"F32\",\"shape\":"
                  + shape
                  + ",\"data_offsets\":[0,9223372036854775807]}}"));
      final Run run = Run.jloss("eval", "mse_loss", "--in", huge);
      assertEquals(2, run.status());
      assertTrue(run.err().startsWith("jloss eval: " + huge + ": "), run.err());
      assertEquals(1, run.err().lines().count(), run.err());
    }
    Files.write(
        huge,
        ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(Long.MAX_VALUE).array());
    assertEquals(2, Run.jloss("eval", "mse_loss", "--in", huge).status());
  }

  private static byte[] header(String json) {
    final byte[] text = json.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .array();
  }

  @Test
  void refusesAFileThatTorchDidNotSave() throws IOException {
    final Path text = folder.resolve("text.pt");
    Files.writeString(text, "this is no file of tensors");
    assertBroken(text, "is no file of torch.save: not a zip file");
  }

  @Test
  void refusesAWrongDtype() throws IOException {
    final Path integers =
        write(
            "integers.safetensors",
            Map.of("input", TensorEntry.of(new long[] {1}, 1), "target", floats(1)));
    final Run run = Run.jloss("eval", "mse_loss", "--in", integers);
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("jloss eval: mse_loss: expected "), run.err());
    assertEquals(1, run.err().lines().count(), run.err());
  }

  @Test
  void refusesAMissingTensor() throws IOException {
    final Path lone = write("lone.safetensors", Map.of("input", floats(1)));
    assertBroken(lone, "expected a tensor 'target', got 'input'");
    final Path empty = write("empty.safetensors", Map.of());
    assertBroken(empty, "expected a tensor 'input', got none");
  }

  @Test
  void aMissingPrefixIsNamed() throws IOException {
    final Path prefixed =
        write("m.safetensors", Map.of("m.input", floats(1), "m.target", floats(2)));
    final Run run = Run.jloss("eval", "mse_loss", "--in", prefixed);
    assertEquals(2, run.status());
    assertTrue(run.err().endsWith(lines("' (--prefix m.)")), run.err());
    Run.jloss("eval", "mse_loss", "--prefix", "x.", "--in", file)
        .assertRefused(
            "jloss eval: " + file + ": expected a tensor 'x.input', got none (--prefix '')");
    // An input of the same ending is not enough.
    final Path other = write("o.safetensors", Map.of("m.input", floats(1), "n.target", floats(2)));
    assertFalse(Run.jloss("eval", "mse_loss", "--in", other).err().contains("--prefix"));
  }

  @Test
  void refusesAnOutputThatCannotBeWritten() {
    Run.jloss("eval", "mse_loss", "--in", file, "--out", file.resolve("out.safetensors"))
        .assertRefused("jloss eval: " + file + ": not a folder");
    // A file may be replaced; a device must not be.
    for (final Path other : List.of(folder, Path.of("/dev/null"))) {
      Run.jloss("eval", "mse_loss", "--in", file, "--out", other)
          .assertRefused("jloss eval: " + other + ": is not a regular file");
    }
    assertFalse(Files.isRegularFile(Path.of("/dev/null")));
  }

  @Test
  void writesThroughALink() throws IOException {
    final Path out = Files.createFile(folder.resolve("out.safetensors"));
    final Path link = Files.createSymbolicLink(folder.resolve("link.safetensors"), out);
    Run.jloss("eval", "mse_loss", "--in", file, "--out", link).assertHeld();
    assertTrue(Files.isSymbolicLink(link));
    assertTrue(Files.size(out) > 0);
  }

  @Test
  void refusesAMemory() {
    Run.jloss("eval", "negative_queue", "--in", file)
        .assertRefused(
            "jloss eval: negative_queue keeps a state between calls; there is nothing to compute"
                + " from one");
  }

  private static String lines(String... lines) {
    return String.join(System.lineSeparator(), lines) + System.lineSeparator();
  }
}
