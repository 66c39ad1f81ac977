package org.jloss.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ComparisonTest {
  private static final double NAN = Double.NaN;
  private static final double INF = Double.POSITIVE_INFINITY;

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "F64, 1, 1.00000019, true",
    "F64, 1, 1.00000021, false",
    "F64, 0, 0.99e-7, true",
    "F64, 0, 1.01e-7, false",
    "F64, 100, 100.0000100, true",
    "F64, 100, 100.0000102, false",
    "F32, 1, 1.000011, true",
    "F32, 1, 1.000012, false",
    "F32, 1000, 1001, false",
    "F16, 1, 1.001, true",
    "F16, 1, 1.002, false",
    "BF16, 1, 1.015625, true",
    "BF16, 1, 1.0234375, false",
  })
  void allowsWhatTorchTestingAllows(DType dtype, double expected, double actual, boolean passes) {
    assertEquals(passes, value(entry(dtype, expected), entry(dtype, actual)).passed());
    assertEquals(passes, value(entry(dtype, -expected), entry(dtype, -actual)).passed());
  }

  @Test
  void takesNotANumberForItself() {
    assertTrue(value(doubles(NAN, INF, -INF), doubles(NAN, INF, -INF)).passed());
    for (final double[] pair :
        new double[][] {{NAN, 1}, {1, NAN}, {INF, NAN}, {INF, -INF}, {INF, 1e308}, {1e308, INF}}) {
      final Comparison comparison = value(doubles(0, pair[0]), doubles(0, pair[1]));
      assertFalse(comparison.passed());
      assertEquals(INF, comparison.maxAbsolute());
      assertEquals(INF, comparison.maxRelative());
      assertEquals(INF, comparison.maxUlp());
      assertEquals(List.of(1L), comparison.worstIndex());
    }
    assertTrue(value(doubles(0.0), doubles(-0.0)).passed());
  }

  @Test
  void measuresDifferences() {
    final Comparison comparison =
        Comparison.ofOutput(
            "value",
            TensorEntry.of(new double[] {0, 4, -2, 1, 1, 1}, 2, 3),
            TensorEntry.of(new double[] {0.5, 4, -3, 1, 1, 1}, 2, 3),
            Tolerance.of(DType.F64));
    assertEquals(1, comparison.maxAbsolute());
    assertEquals(0.5, comparison.maxRelative());
    assertEquals(1 / Math.ulp(4.0), comparison.maxUlp());
    // 0.5 beside 0 is farther beyond what is allowed than 1 beside 2.
    assertEquals(List.of(0L, 0L), comparison.worstIndex());
    assertEquals(
        "2 of 6 elements differ by more than rtol 1.00e-07, atol 1.00e-07; "
            + "worst at (0, 0): expected 0.0, came 0.5",
        comparison.reason());
    assertEquals("value", comparison.output());
  }

  @Test
  void measuresUlpOfTheDtype() {
    final TensorEntry expected = TensorEntry.of(new float[] {3, 1e-9f}, 2);
    final TensorEntry actual = TensorEntry.of(new float[] {Math.nextUp(3f), 1e-9f}, 2);
    assertEquals(1, value(expected, actual).maxUlp());
    assertEquals(0, value(expected, expected).maxUlp());
    assertEquals(2, value(entry(DType.BF16, 1), entry(DType.BF16, 1.015625)).maxUlp());
    assertEquals(1, value(entry(DType.F16, 1), entry(DType.F16, 1.001)).maxUlp());
    assertEquals(1 << 24, value(entry(DType.F32, 0), entry(DType.F32, 1e-3)).maxUlp(), 1 << 23);
  }

  @Test
  void namesWhatElseIsWrong() {
    final TensorEntry expected = TensorEntry.of(new float[2], 2);
    assertFailsWith("did not come", expected, null);
    assertFailsWith(
        "expected dtype float32, came float64", expected, TensorEntry.of(new double[2], 2));
    assertFailsWith(
        "expected shape [2], came [2, 1]", expected, TensorEntry.of(new float[2], 2, 1));
  }

  private static void assertFailsWith(String reason, TensorEntry expected, TensorEntry actual) {
    final Comparison comparison = value(expected, actual);
    assertFalse(comparison.passed());
    assertEquals(reason, comparison.reason());
  }

  @Test
  void wantsIntegersExactly() {
    final long large = 1L << 60;
    final TensorEntry expected = TensorEntry.of(new long[] {large, 3}, 2);
    assertTrue(value(expected, expected).passed());
    final Comparison comparison = value(expected, TensorEntry.of(new long[] {large + 1, 5}, 2));
    assertFalse(comparison.passed());
    assertEquals(2, comparison.maxAbsolute());
    assertEquals("2 of 2 elements differ; worst at (1): expected 3, came 5", comparison.reason());
    assertFalse(value(expected, TensorEntry.of(new long[] {large + 1, 3}, 2)).passed());
  }

  @Test
  void comparesNothingWithNothing() {
    final TensorEntry empty = TensorEntry.of(new float[0], 0, 3);
    final Comparison comparison = gradient(empty, empty, 1);
    assertTrue(comparison.passed());
    assertEquals(0, comparison.maxAbsolute());
    assertEquals(List.of(), comparison.worstIndex());
  }

  @Test
  void multipliesGradientsByTheNormaliser() {
    final TensorEntry expected = TensorEntry.of(new float[] {1, 1e-3f}, 2);
    final TensorEntry actual = TensorEntry.of(new float[] {1, 1.005e-3f}, 2);
    // 5e-6 is below both atol and 1e-5 of the largest; times 1000 it is not.
    assertTrue(gradient(expected, actual, 1).passed());
    final Comparison comparison = gradient(expected, actual, 1000);
    assertFalse(comparison.passed());
    assertTrue(
        comparison.reason().startsWith("1 of 2 elements differ by more than rtol"),
        comparison.reason());
    assertTrue(comparison.reason().contains("(times 1000.00000)"), comparison.reason());
    assertTrue(gradient(expected, actual, 0).passed());
    for (final double normaliser : new double[] {-1, NAN, INF}) {
      assertThrows(IllegalArgumentException.class, () -> gradient(expected, actual, normaliser));
    }
  }

  @Test
  void boundsGradientsByTheirLargestElement() {
    final TensorEntry expected = TensorEntry.of(new float[] {1e-7f, 0, NAN_FLOAT}, 3);
    final TensorEntry actual = TensorEntry.of(new float[] {1e-7f, 2e-12f, NAN_FLOAT}, 3);
    final Comparison comparison = gradient(expected, actual, 1);
    assertFalse(comparison.passed());
    assertTrue(
        comparison.reason().contains("1 of 3 elements differ by more than 1.00e-05 of the largest"),
        comparison.reason());
    assertEquals(List.of(1L), comparison.worstIndex());
    assertTrue(value(expected, actual).passed());
    assertTrue(
        gradient(TensorEntry.of(new float[2], 2), TensorEntry.of(new float[2], 2), 1).passed());
    assertFalse(
        gradient(TensorEntry.of(new float[1]), TensorEntry.of(new float[] {1e-30f}), 1).passed());
  }

  private static final float NAN_FLOAT = Float.NaN;

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F32", "F64"})
  void boundsGradientsByDtype(DType dtype) {
    final double bound = Tolerance.of(dtype).ofLargest();
    final double tiny = 1e-4; // where atol lets all pass, in float16 too
    for (final double part : new double[] {0.5, 2}) {
      final Comparison comparison =
          gradient(
              TensorEntry.of(new double[] {tiny, 0}, 2),
              TensorEntry.of(new double[] {tiny, part * bound * tiny}, 2),
              1,
              new Tolerance(1, 1, bound, ""));
      assertEquals(part < 1, comparison.passed());
    }
  }

  @Test
  void comparesAllThatACaseExpects() throws IOException {
    final ReferenceCase reference =
        ReferenceFile.read(TestCases.write(folder, TestCases.HEADER, TestCases.tensors()))
            .cases()
            .get(0);
    assertTrue(
        Comparison.of(reference, reference.expected(), 1).stream().allMatch(Comparison::passed));
    final List<Comparison> comparisons =
        Comparison.of(reference, Map.of("value", TensorEntry.of(new float[] {0.5f})), 1);
    assertEquals(
        List.of("value", "grad/input"), comparisons.stream().map(Comparison::output).toList());
    assertEquals("did not come", comparisons.get(1).reason());
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "F32", "F64"})
  void selfTestCorruptsInFiveWays(DType dtype) throws IOException {
    final TensorEntry gradient = entry(dtype, 1, -0.5, 0, 1e-4, NAN, INF);
    assertEquals(5, Comparison.selfTest(TestCases.withGradient(folder, gradient, "")));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-319, 1e-300, 1e-40, 1e-12, 1e30, 1.7e308})
  void selfTestIsSharpAtAnySize(double size) throws IOException {
    final ReferenceCase reference =
        TestCases.withGradient(folder, doubles(size, size / 3, -size / 1000), "");
    assertEquals(5, Comparison.selfTest(reference));
  }

  @Test
  void selfTestLeavesOutGradientsOfNothing() throws IOException {
    assertEquals(0, Comparison.selfTest(TestCases.withGradient(folder, doubles(0, NAN, INF), "")));
    assertEquals(
        0,
        Comparison.selfTest(TestCases.withGradient(folder, TensorEntry.of(new float[0], 0), "")));
    // 1 % more of the smallest number is the same number.
    assertEquals(
        3, Comparison.selfTest(TestCases.withGradient(folder, doubles(Double.MIN_VALUE), "")));
  }

  @Test
  void selfTestFindsATooWideTolerance() throws IOException {
    final String sharp = ",'tolerance':{'rtol':0.004,'atol':1,'reason':'x'}";
    assertEquals(5, Comparison.selfTest(TestCases.withGradient(folder, doubles(1, 2), sharp)));
    final String wide = ",'tolerance':{'rtol':0.02,'atol':1,'reason':'x'}";
    final ReferenceCase reference = TestCases.withGradient(folder, doubles(1, 2), wide);
    final AssertionError e =
        assertThrows(AssertionError.class, () -> Comparison.selfTest(reference));
    assertTrue(
        e.getMessage()
            .contains("grad/x passes enlarged, grad/x passes with one element changed; Tolerance"),
        e.getMessage());
  }

  @Test
  void measuresErrorsAgainstTheTruth() {
    final float ulp = Math.ulp(1f);
    final TensorEntry truth = TensorEntry.of(new double[] {1, 0.5 + 0.25 * ulp, 0, NAN}, 4);
    final TensorEntry expected = TensorEntry.of(new float[] {1 + ulp, 0.5f, 0, Float.NaN}, 4);
    final TensorEntry actual = TensorEntry.of(new float[] {1 + 2 * ulp, 0.5f, 0, 1}, 4);

    final TruthErrors errors = TruthErrors.of(truth, expected, actual);

    assertEquals(3, errors.count());
    assertEquals(2, errors.maxOfActual());
    assertEquals(1, errors.maxOfExpected());
    assertEquals(Math.sqrt((4 + 0.0625) / 3), errors.rmsOfActual(), 1e-12);
    assertEquals(Math.sqrt((1 + 0.0625) / 3), errors.rmsOfExpected(), 1e-12);
    assertTrue(errors.isAsAccurate());
    assertFalse(new TruthErrors(1, 2.1, 0, 1, 0).isAsAccurate());
    assertFalse(new TruthErrors(1, 1, 1.5, 1, 0.4).isAsAccurate());

    final TruthErrors joined = errors.and(errors).and(TruthErrors.NONE);
    assertEquals(6, joined.count());
    assertEquals(errors.rmsOfActual(), joined.rmsOfActual(), 1e-12);
    assertEquals(errors, TruthErrors.NONE.and(errors));
    assertEquals(TruthErrors.NONE, TruthErrors.NONE.and(TruthErrors.NONE));
  }

  @Test
  void refusesAnUnsoundTolerance() {
    assertThrows(IllegalArgumentException.class, () -> new Tolerance(NAN, 0, 0, ""));
    assertThrows(IllegalArgumentException.class, () -> new Tolerance(0, -1, 0, ""));
    assertThrows(IllegalArgumentException.class, () -> new Tolerance(0, 0, INF, ""));
    assertThrows(IllegalArgumentException.class, () -> Tolerance.stated(DType.F32, 1, 1, " "));
  }

  private static Comparison value(TensorEntry expected, TensorEntry actual) {
    return Comparison.ofOutput("value", expected, actual, Tolerance.of(expected.dtype()));
  }

  private static Comparison gradient(TensorEntry expected, TensorEntry actual, double normaliser) {
    return gradient(expected, actual, normaliser, Tolerance.of(expected.dtype()));
  }

  private static Comparison gradient(
      TensorEntry expected, TensorEntry actual, double normaliser, Tolerance tolerance) {
    return Comparison.ofGradient("grad/x", expected, actual, tolerance, normaliser);
  }

  private static TensorEntry doubles(double... values) {
    return TensorEntry.of(values, values.length);
  }

  /** Values of any floating dtype, rounded towards zero. */
  private static TensorEntry entry(DType dtype, double... values) {
    final ByteBuffer data =
        ByteBuffer.allocate(values.length * dtype.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (final double value : values) {
      final int bits = Float.floatToIntBits((float) value);
      switch (dtype) {
        case F64 -> data.putDouble(value);
        case F32 -> data.putFloat((float) value);
        case BF16 -> data.putShort((short) (bits >> 16));
        default -> data.putShort(half(bits));
      }
    }
    return TensorEntry.of(dtype, new long[] {values.length}, data.flip());
  }

  private static short half(int bits) {
    final int exponent = (bits >> 23 & 0xff) - 112;
    final int sign = bits >>> 16 & 0x8000;
    final int mantissa = bits >> 13 & 0x3ff;
    if (exponent > 30) {
      return (short) (sign | 0x7c00 | mantissa);
    }
    return (short) (exponent <= 0 ? sign : sign | exponent << 10 | mantissa);
  }
}
