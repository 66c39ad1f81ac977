package org.jloss.parity;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParityReportTest {
  @TempDir private Path folder;

  private ReferenceFile file;
  private ReferenceFile torchFile;

  @BeforeEach
  void readFiles() throws IOException {
    final Map<String, TensorEntry> tensors = TestCases.tensors();
    tensors.put("c/float32/value64", TensorEntry.of(new double[] {0.5 + 1e-8}));
    file = ReferenceFile.read(TestCases.write(folder, TestCases.HEADER, tensors));
    torchFile = ReferenceFile.read(TestFiles.fixture(folder, "reference.pt"));
  }

  private static ReferenceFile twice(ReferenceFile file) throws IOException {
    return new ReferenceFile(
        file.path(),
        file.id(),
        file.oracle(),
        file.versions(),
        List.of(file.cases().get(0), file.cases().get(0)));
  }

  /** Gives what is expected, but for a gradient of some_loss. */
  private static Map<String, TensorEntry> almost(ReferenceCase reference) {
    final Map<String, TensorEntry> actual = new LinkedHashMap<>(reference.expected());
    if (reference.id().equals("some_loss")) {
      actual.put("grad/input", TensorEntry.of(new float[] {0.25f, -0.25f, 0, 1}, 2, 2));
    }
    return actual;
  }

  @Test
  void saysThatAllPassed() throws IOException {
    final List<String> seen = new ArrayList<>();
    final ParityReport report =
        ParityReport.run(
            List.of(file, twice(torchFile), file),
            ReferenceCase::expected,
            result -> seen.add(result.id() + " " + result.key()));

    assertTrue(report.passed());
    assertDoesNotThrow(report::assertPassed);
    assertEquals(
        List.of(
            "some_loss c/float32",
            "mse_loss small/float32",
            "mse_loss small/float32",
            "some_loss c/float32"),
        seen);
    assertEquals(
        """
        loss       cases  dtypes  value abs  rel  ULP  grad abs  rel  ULP  error ULP  PyTorch's  result
        some_loss      2  f32             0    0    0         0    0    0       0.17       0.17  pass
        mse_loss       2  f32             0    0    0         0    0    0          -          -  pass
        abs, rel, ULP: from PyTorch, at most; abs is large where numbers are, rel and ULP where they are tiny.
        error ULP, PyTorch's: of jloss and of PyTorch against float64.
        4 passed, 0 failed
        """,
        report.toText());
    assertEquals(
        """
        loss       cases  dtypes  value abs  rel  ULP
        some_loss      2  f32             0    0    0
        mse_loss       2  f32             0    0    0
        loss       grad abs  rel  ULP  error ULP  PyTorch's
        some_loss         0    0    0       0.17       0.17
        mse_loss          0    0    0          -          -
        loss       result
        some_loss  pass
        mse_loss   pass
        abs, rel, ULP: from PyTorch, at most; abs is large where numbers are, rel and ULP where they are tiny.
        error ULP, PyTorch's: of jloss and of PyTorch against float64.
        4 passed, 0 failed
        """,
        report.toText(54));
  }

  @Test
  void saysWhatFailed() {
    final ParityReport report =
        ParityReport.run(List.of(file, torchFile), ParityReportTest::almost);

    assertFalse(report.passed());
    assertEquals(1, report.failedCases());
    assertEquals("1 passed, 1 failed", report.summary());
    final String text = report.toText();
    assertTrue(text.contains("1 FAILED"), text);
    assertTrue(
        text.contains("FAILED some_loss c/float32 (" + file.path() + ")\n    grad/input: "), text);
    assertTrue(text.contains("worst at (1, 1): expected 9.999999974752427E-7, came 1.0"), text);
    assertTrue(text.endsWith("\n1 passed, 1 failed\n"), text);
    final AssertionError e = assertThrows(AssertionError.class, report::assertPassed);
    assertTrue(e.getMessage().contains("1 passed, 1 failed"));
  }

  @Test
  void countsALossThatIsLessAccurateThanPyTorch() {
    // Within the tolerance, 3 ULP from the truth, where PyTorch's value is 0.17.
    final float off = 0.5f + 3 * Math.ulp(0.5f);
    final ParityReport report =
        ParityReport.run(
            List.of(file, torchFile),
            reference -> {
              final Map<String, TensorEntry> actual = new LinkedHashMap<>(reference.expected());
              actual.computeIfPresent(
                  "value",
                  (name, value) ->
                      reference.id().equals("some_loss")
                          ? TensorEntry.of(new float[] {off})
                          : value);
              return actual;
            });

    assertFalse(report.passed());
    assertEquals(0, report.failedCases());
    assertEquals(1, report.inaccurateLosses());
    final String text = report.toText();
    assertTrue(text.contains("  INACCURATE\n"), text);
    assertTrue(
        text.endsWith(
            """
            INACCURATE some_loss: error against float64 in ULP: largest 2.83 (PyTorch's 0.168), \
            rms 2.83 (PyTorch's 0.168)
            2 passed, 1 failed
            """),
        text);
    assertThrows(AssertionError.class, report::assertPassed);
    final String html = report.toHtml(Map.of());
    assertTrue(html.contains("✗ less accurate") && html.contains("<b>1</b>less accurate"), html);
  }

  @Test
  void takesAnExceptionForAFailure() {
    final List<Throwable> thrown =
        List.of(
            new IllegalArgumentException("no such loss\nsecond line"),
            new IOException(),
            new OutOfMemoryError("17 bytes"),
            new AssertionError("a"));
    final List<String> reasons = new ArrayList<>();
    for (final Throwable e : thrown) {
      final Evaluator evaluator =
          reference -> {
            if (e instanceof Error error) {
              throw error;
            }
            throw (Exception) e;
          };
      final CaseResult result = CaseResult.of(file.cases().get(0), evaluator);
      assertFalse(result.passed());
      reasons.addAll(result.reasons());
    }
    assertEquals(
        List.of(
            "IllegalArgumentException: no such loss",
            "IOException",
            "OutOfMemoryError: 17 bytes",
            "AssertionError: a"),
        reasons);
  }

  @Test
  void passesTheNormaliserOn() {
    final Evaluator evaluator =
        new Evaluator() {
          @Override
          public Map<String, TensorEntry> evaluate(ReferenceCase reference) {
            final Map<String, TensorEntry> actual = new LinkedHashMap<>(reference.expected());
            actual.put("grad/input", TensorEntry.of(new float[] {0.25f, -0.25f, 0, 2e-6f}, 2, 2));
            return actual;
          }

          @Override
          public double normaliser(ReferenceCase reference) {
            return 100;
          }
        };
    final CaseResult result = CaseResult.of(file.cases().get(0), evaluator);
    assertTrue(result.reasons().get(0).contains("(times 100"), result.reasons().toString());
  }

  @Test
  void isNoSuccessWithoutCases() {
    final ParityReport report = ParityReport.run(List.of(), ReferenceCase::expected);
    assertFalse(report.passed());
    assertTrue(report.toText().endsWith("0 passed, 0 failed\n"));
    assertTrue(report.toHtml(Map.of()).contains("0 passed, 0 failed"));
  }

  @Test
  void showsTwentyFailuresOfALoss() throws IOException {
    final List<ReferenceFile> files = new ArrayList<>();
    for (int i = 0; i < 23; i++) {
      files.add(file);
    }
    final String text = ParityReport.run(files, reference -> Map.of()).toText();
    assertEquals(20, text.split("FAILED some_loss c/float32").length - 1);
    assertTrue(text.contains("FAILED some_loss: and 3 cases more\n0 passed, 23 failed\n"), text);
  }

  @Test
  void writesJson() throws IOException {
    final ParityReport report =
        ParityReport.run(
            List.of(file, torchFile),
            reference -> reference.id().equals("mse_loss") ? Map.of() : almost(reference));
    final JsonNode json = new JsonMapper().readTree(report.toJson());

    assertEquals(0, json.get("passed").asInt());
    assertEquals(2, json.get("failed").asInt());
    final JsonNode loss = json.get("losses").get(0);
    assertEquals("some_loss", loss.get("id").asText());
    assertEquals("by <hand>", loss.get("oracle").asText());
    assertEquals("2.10.0", loss.get("versions").get("torch").asText());
    assertEquals("float32", loss.get("dtypes").get(0).asText());
    assertEquals(0, loss.get("value").get("max_abs").asDouble());
    assertTrue(loss.get("gradient").get("max_abs").asDouble() > 0.9);
    assertTrue(loss.get("gradient").get("max_ulp").asDouble() > 1e6);
    assertEquals(1, loss.get("errors").get("count").asInt());
    assertTrue(loss.get("errors").get("as_accurate").asBoolean());
    assertFalse(loss.get("passed").asBoolean());
    final JsonNode result = loss.get("results").get(0);
    assertEquals("c", result.get("name").asText());
    assertFalse(result.get("passed").asBoolean());
    assertTrue(result.get("reasons").get(0).asText().startsWith("grad/input: "));
    final JsonNode gradient = result.get("comparisons").get(1);
    assertEquals("grad/input", gradient.get("output").asText());
    assertEquals("[1,1]", gradient.get("worst_index").toString());

    final JsonNode missing = json.get("losses").get(1);
    assertEquals("inf", missing.get("value").get("max_abs").asText());
    assertTrue(missing.get("errors").isNull());
  }

  @Test
  void writesHtml() throws Exception {
    final ParityReport report =
        ParityReport.run(
            List.of(file, torchFile),
            reference -> {
              if (reference.id().equals("mse_loss")) {
                throw new IllegalStateException("<script>alert(\"1\")</script> & more");
              }
              return reference.expected();
            });
    final String html = report.toHtml(Map.of("mse_loss", "<svg viewBox='0 0 2 1'></svg>"));

    assertTrue(html.startsWith("<!DOCTYPE html>"));
    assertTrue(html.contains("<svg viewBox='0 0 2 1'></svg>"));
    assertTrue(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more"));
    assertTrue(html.contains("by &lt;hand&gt;"));
    assertFalse(html.contains("<script"));
    assertTrue(html.contains("<b>1 passed, 1 failed</b>"));
    assertFalse(html.matches("(?s).*%[0-9]\\$.*"), "a format that was not filled in");
    assertBalanced(html);
    assertBalanced(report.toHtml(Map.of()));
    final String keep = System.getProperty("jloss.html");
    if (keep != null) {
      Files.writeString(Path.of(keep), html);
    }
  }

  private static void assertBalanced(String html) {
    for (final String tag :
        List.of(
            "table", "thead", "tbody", "tr", "td", "th", "details", "ul", "li", "div", "span")) {
      final int open = html.split("<" + tag + "[ >]", -1).length;
      assertEquals(open, html.split("</" + tag + ">", -1).length, tag);
    }
  }

  @Test
  void findsTheLargestOfManyDifferences() {
    final ParityReport.Row row =
        ParityReport.run(List.of(file, file), ParityReportTest::almost).rows().get(0);
    assertEquals(2, row.value().count());
    assertEquals(0, row.value().maxAbsolute());
    assertEquals(1 - 1e-6, row.gradient().maxAbsolute(), 1e-9);
    assertEquals(2, row.failures().size());
    assertEquals(List.of(DType.F32), List.copyOf(row.dtypes()));
    assertEquals(Map.of("torch", "2.10.0"), row.versions());
    assertEquals(2, row.errors().count());
  }
}
