package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.ToDoubleBiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Tensors;
import org.jloss.classification.FocalLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of docs/python.md. */
class GuideTest {
  @Test
  void theGuideHasTheseExamples() throws Exception {
    final String source = plain(Files.readString(file("GuideTest.java")));
    final Matcher blocks =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("../docs/python.md")));
    final List<String> missing = new ArrayList<>();
    int count = 0;
    while (blocks.find()) {
      count++;
      if (!source.contains(plain(blocks.group(1)))) {
        missing.add(blocks.group(1));
      }
    }
    assertEquals(List.of(), missing);
    assertTrue(count >= 6, "found " + count);
  }

  private static Path file(String name) {
    return Path.of("src/test/java/org/jloss/python", name);
  }

  private static String plain(String text) {
    return text.replaceAll("\\s+", "");
  }

  @Test
  @SuppressWarnings("unused")
  void start() {
    try (PythonBridge python = PythonBridge.create();
        Tensor logits = Tensors.of(new float[] {2f, -1f, 0.5f, 0f, 1f, 3f}, 2, 3)) {
      python.exec("import jloss");
      python.set("logits", logits);
      python.set("loss", new FocalLoss().gamma(1.5));
      double value = (double) python.eval("loss(logits, jloss.tensor([0, 2])).item()");
    }
  }

  /** An object of the caller's. */
  public static final class Samples {
    @HostAccess.Export
    public List<Double> next(int count) {
      return Collections.nCopies(count, 0.5);
    }
  }

  @Test
  @SuppressWarnings("unchecked")
  void objectsAndFunctions() {
    try (PythonBridge python = PythonBridge.create()) {
      python.set("samples", new Samples());
      python.exec("total = sum(samples.next(4))");
      assertEquals(2.0, python.get("total"));

      python.exec("def score(name, values): return len(name) * max(values)");
      ToDoubleBiFunction<String, List<Double>> score =
          python.function("score", ToDoubleBiFunction.class);
      double best = score.applyAsDouble("ab", List.of(1.0, 3.0));
      assertEquals(6.0, best);
    }
  }

  @Test
  @SuppressWarnings("unused")
  void options(@TempDir Path scripts, @TempDir Path results) throws IOException {
    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final Path script =
        Files.writeString(
            scripts.resolve("train.py"),
            "import sys\nopen(sys.argv[1] + '/x', 'w').write('y')\nprint('written')");
    PythonBridge.Builder options =
        PythonBridge.builder()
            .readFolder(scripts)
            .writeFolder(results)
            .stdout(out)
            .memory(1L << 30)
            .timeLimit(Duration.ofSeconds(30));
    try (PythonBridge python = options.build()) {
      int status = python.runScript(script, List.of(results.toString()));
    }
    assertEquals("written\n", out.toString());
    assertTrue(Files.exists(results.resolve("x")));
  }

  @Test
  @SuppressWarnings("unused")
  void pools() {
    try (PythonPool pool = PythonBridge.builder().preload("import jloss").pool(2)) {
      try (PythonPool.Lease lease = pool.borrow(Duration.ofSeconds(30))) {
        Object answer = lease.python().eval("6 * 7");
      }
    }
    try (PythonPool workers =
        PythonBridge.isolated()
            .timeLimit(Duration.ofSeconds(30))
            .heap(256L << 20)
            .memory(256L << 20)
            .preload("import jloss")
            .pool(1)) {
      try (PythonPool.Lease lease = workers.borrow(Duration.ofMinutes(1))) {
        Object answer = lease.python().eval("6 * 7");
      }
    }
  }
}
