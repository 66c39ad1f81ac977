package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jloss.ClassWeights;
import org.jloss.FormulaLoss;
import org.jloss.Loss;
import org.jloss.NdArray;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.WeightedSum;
import org.jloss.classification.CrossEntropyLoss;
import org.jloss.classification.FocalLoss;
import org.jloss.regression.HuberLoss;
import org.jloss.regression.MseLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Losses with factors, added up. */
class WeightedSumTest {
  private static final double[] X = {0.5, -2, 3};
  private static final double[] Y = {0, 1, 1};

  private static List<String> inputs(Loss loss) {
    return loss.spec().inputs().stream().map(Spec.InputSpec::name).toList();
  }

  @Test
  void valueAndGradientAreTheSums() {
    final Loss mse = new MseLoss();
    final Loss huber = new HuberLoss();
    final Loss sum = mse.times(0.5).plus(huber.times(3)).minus(huber);
    assertEquals(List.of("input", "target", "weight"), inputs(sum));
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(X);
      final Tensor y = Tensors.of(Y);
      final ValueAndGradient one = mse.valueAndGradient(x, y);
      final ValueAndGradient two = huber.valueAndGradient(x, y);
      final ValueAndGradient got = sum.valueAndGradient(x, y);
      final double expected = 0.5 * one.item() + 2 * two.item();
      assertEquals(expected, got.item(), 1e-15);
      assertEquals(expected, Tensors.item(sum.apply(x, y)), 1e-15);
      assertNull(got.gradient("target"));
      final double[] slope = new double[3];
      for (int i = 0; i < 3; i++) {
        slope[i] =
            0.5 * Tensors.toDoubles(one.gradient())[i] + 2 * Tensors.toDoubles(two.gradient())[i];
      }
      assertArrayEquals(slope, Tensors.toDoubles(got.gradient()), 1e-15);
      x.requires_grad_(true);
      sum.apply(x, y).backward();
      assertArrayEquals(slope, Tensors.toDoubles(x.grad()), 1e-15);
    }
  }

  @Test
  void classWeightsOfATermCount() {
    final Loss weighted = new CrossEntropyLoss().weight(ClassWeights.of(1, 5));
    final Loss sum = weighted.times(2).plus(new FocalLoss());
    assertEquals(List.of("input", "target", "weight", "alpha"), inputs(sum));
    final NdArray logits = NdArray.of(new double[] {1, 2, 3, -1}, 2, 2);
    final NdArray classes = NdArray.of(new long[] {0, 1});
    assertEquals(
        2 * weighted.valueAndGradient(logits, classes).value().doubles()[0]
            + new FocalLoss().valueAndGradient(logits, classes).value().doubles()[0],
        sum.valueAndGradient(logits, classes).value().doubles()[0],
        1e-14);
  }

  @Test
  void otherNamesAreOtherTensors() {
    final Loss sum = new MseLoss().plus(new MseLoss().renamed(Map.of("target", "other")).times(2));
    assertEquals(List.of("input", "target", "other", "weight"), inputs(sum));
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(X);
      assertEquals(0 + 2 * (0.25 + 9 + 4) / 3, Tensors.item(sum.apply(x, x, Tensors.of(Y))), 1e-15);
    }
    assertEquals(
        List.of("input", "b", "weight"),
        inputs(new MseLoss().renamed(Map.of("target", "a")).renamed(Map.of("a", "b"))));
    for (final Map<String, String> wrong :
        List.of(Map.of("nothing", "a"), Map.of("target", "input"))) {
      final String message =
          assertThrows(IllegalArgumentException.class, () -> new MseLoss().renamed(wrong))
              .getMessage();
      assertTrue(message.startsWith("mse_loss: expected a"), message);
    }
  }

  @Test
  void oneTermsTargetMayBeAnothersPrediction() {
    final Loss sum =
        new MseLoss().plus(new MseLoss().renamed(Map.of("input", "target", "target", "input")));
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new double[] {3});
      final Tensor y = Tensors.of(new double[] {1});
      final ValueAndGradient got = sum.valueAndGradient(x, y);
      assertArrayEquals(new double[] {8}, Tensors.toDoubles(got.gradient("input")));
      assertArrayEquals(new double[] {-8}, Tensors.toDoubles(got.gradient("target")));
      x.requires_grad_(true);
      final ValueAndGradient asked = sum.valueAndGradient(x, y);
      assertArrayEquals(new double[] {8}, Tensors.toDoubles(asked.gradient("input")));
      assertNull(asked.gradient("target"));
    }
  }

  @Test
  void equalWhereTheTermsAre() {
    final Loss sum = new MseLoss().plus(new HuberLoss().times(0.5));
    assertEquals(sum, new MseLoss().plus(new HuberLoss().times(0.5)));
    assertEquals(sum.hashCode(), new MseLoss().plus(new HuberLoss().times(0.5)).hashCode());
    assertNotEquals(sum, new MseLoss().plus(new HuberLoss()));
    assertNotEquals(sum, new MseLoss());
    assertEquals(
        "MseLoss[reduction=MEAN] + 0.5 * HuberLoss[reduction=MEAN, delta=1.0]", sum.toString());
    assertEquals("mse_loss + 0.5 * huber_loss", sum.spec().formula());
    assertEquals(sum, new MseLoss().times(2).plus(new HuberLoss()).times(0.5));
  }

  @Test
  void whatItRefuses() {
    for (final double wrong : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      assertEquals(
          "mse_loss: expected a finite factor, got " + wrong,
          assertThrows(IllegalArgumentException.class, () -> new MseLoss().times(wrong))
              .getMessage());
    }
    assertThrows(IllegalArgumentException.class, () -> WeightedSum.of(List.of()));
    final Loss mixed = new MseLoss(Reduction.NONE).plus(new HuberLoss());
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(X);
      for (final Executable call :
          List.<Executable>of(() -> mixed.apply(x, x), () -> mixed.valueAndGradient(x, x))) {
        assertEquals(
            "weighted_sum: expected the value of huber_loss to have shape [3] as those before it,"
                + " got []: give the terms one reduction",
            assertThrows(IllegalArgumentException.class, call).getMessage());
      }
      assertEquals(
          "weighted_sum: expected input, target, weight (or none), got 1 tensors",
          assertThrows(IllegalArgumentException.class, () -> mixed.apply(x)).getMessage());
    }
  }

  @Test
  void aLossOfOnesOwnIsATerm() {
    final Loss own = FormulaLoss.of("square", 1, in -> in[0].square().sum());
    final Loss sum = own.renamed(Map.of("input0", "input")).plus(new MseLoss());
    try (PointerScope scope = new PointerScope()) {
      final ValueAndGradient got = sum.valueAndGradient(Tensors.of(X), Tensors.of(X));
      assertEquals(13.25, got.item());
      assertArrayEquals(new double[] {1, -4, 6}, Tensors.toDoubles(got.gradient()));
    }
  }

  @Test
  void nothingIsLeftBehind() {
    final Loss sum = new MseLoss().times(0.5).plus(new HuberLoss()).minus(new MseLoss());
    try (Tensor x = Tensors.of(X);
        Tensor y = Tensors.of(Y)) {
      sum.valueAndGradient(x, y).close();
      sum.apply(x, y).close();
      final long before = Pointer.totalCount();
      for (int i = 0; i < 100; i++) {
        sum.valueAndGradient(x, y).close();
        sum.apply(x, y).close();
      }
      assertTrue(Pointer.totalCount() - before < 10, () -> "left " + Pointer.totalCount());
    }
  }
}
