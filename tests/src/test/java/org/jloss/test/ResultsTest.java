package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Autograd;
import org.jloss.ClassWeights;
import org.jloss.FormulaLoss;
import org.jloss.Indices;
import org.jloss.Loss;
import org.jloss.Reduction;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.classification.FocalLoss;
import org.jloss.metriclearning.BatchHardMiner;
import org.jloss.regression.MseLoss;
import org.jloss.segmentation.DiceLoss;
import org.jloss.segmentation.GeneralizedDiceLoss;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What results hold, for how long, and how the calls that give none fail. */
class ResultsTest {
  private static final Loss MSE_NONE = new MseLoss().reduction(Reduction.NONE);
  private static final Loss SUM = new MseLoss().reduction(Reduction.SUM);

  @Test
  void aClosedResultClosesItsGradients() {
    try (Tensor x = Tensors.of(new float[] {3, 4});
        Tensor t = Tensors.of(new float[2])) {
      final ValueAndGradient result = SUM.valueAndGradient(x, t);
      final Tensor gradient = result.gradient();
      assertSame(gradient, result.gradient("input"));
      assertNull(result.gradient("target"));
      result.close();
      assertTrue(gradient.isNull());
      assertThrows(IllegalStateException.class, () -> Tensors.toFloats(gradient));
      assertThrows(IllegalStateException.class, result::gradient);
      assertEquals(
          "mse_loss: expected an open result, got a closed one",
          assertThrows(IllegalStateException.class, result::value).getMessage());
      assertThrows(IllegalStateException.class, result::item);
    }
  }

  @Test
  void aGradientOutlivesAResultThatNobodyHolds() throws InterruptedException {
    final float[] threes = new float[1 << 16];
    final float[] sixes = new float[1 << 16];
    Arrays.fill(threes, 3);
    Arrays.fill(sixes, 6);
    try (Tensor x = Tensors.of(threes);
        Tensor t = Tensors.of(new float[1 << 16])) {
      ValueAndGradient result = SUM.valueAndGradient(x, t);
      final WeakReference<ValueAndGradient> held = new WeakReference<>(result);
      try (Tensor gradient = result.gradient()) {
        result = null;
        while (held.get() != null) {
          System.gc();
          Thread.sleep(10);
        }
        Thread.sleep(200); // the binding frees what is collected on a thread of its own
        try (Tensor other = Tensors.of(threes)) {
          assertArrayEquals(sixes, Tensors.toFloats(gradient));
        }
      }
    }
  }

  @Test
  void aGradientAskedForInAScopeIsThereAfterIt() {
    try (Tensor x = Tensors.of(new float[] {3});
        Tensor t = Tensors.of(new float[1]);
        ValueAndGradient result = SUM.valueAndGradient(x, t)) {
      try (PointerScope scope = new PointerScope()) {
        result.gradient();
      }
      assertArrayEquals(new float[] {6}, Tensors.toFloats(result.gradient()));
    }
  }

  @Test
  void closedIndicesCloseTheirVectors() {
    try (PointerScope scope = new PointerScope()) {
      final Indices indices =
          new BatchHardMiner().mine(torch.randn(4, 2), Tensors.of(new long[] {0, 0, 1, 1}));
      final Tensor anchors = indices.get(0);
      assertEquals(4, anchors.numel());
      indices.close();
      assertTrue(anchors.isNull());
      assertThrows(IllegalStateException.class, () -> indices.get(0));
    }
  }

  @Test
  void emptyMapsMayHaveAnyStrides() {
    for (final Loss loss :
        new Loss[] {new DiceLoss().mode(DiceLoss.Mode.MULTILABEL), new GeneralizedDiceLoss()}) {
      for (final long[][] layout :
          new long[][][] {
            {{0, 8, 17, 31}, {4624, 578, 34, 1}},
            {{3, 2, 5, 0}, {0, 5, 1, 1}},
            {{2, 2, 0}, {9, 3, 2}}
          }) {
        try (PointerScope scope = new PointerScope()) {
          final Tensor x = torch.zeros(1).as_strided(layout[0], layout[1]);
          final Tensor t = torch.zeros(layout[0]);
          final ValueAndGradient result = loss.valueAndGradient(x, t);
          final ValueAndGradient plain = loss.valueAndGradient(torch.zeros(layout[0]), t);
          assertEquals(plain.item(), result.item());
          assertArrayEquals(layout[0], result.gradient().shape());
        }
      }
    }
  }

  @Test
  void removedHooksCostNothing() {
    final int many = 5000;
    try (PointerScope scope = new PointerScope()) {
      for (final boolean accumulated : new boolean[] {false, true}) {
        final int[] calls = new int[1];
        final Tensor removed = Tensors.of(new float[1]).requires_grad_(true);
        final Tensor hooked = Tensors.of(new float[1]).requires_grad_(true);
        for (int i = 0; i < many; i++) {
          final Runnable undo = Autograd.hook(removed, accumulated, g -> count(calls));
          undo.run();
          undo.run(); // does nothing more
          Autograd.hook(hooked, accumulated, g -> count(calls));
        }
        backward(removed);
        assertEquals(0, calls[0]);
        backward(hooked);
        assertEquals(many, calls[0]);
        // A call back to Java each, and none.
        assertTrue(least(removed) < least(hooked) / 2);
      }
    }
  }

  private static Tensor count(int[] calls) {
    calls[0]++;
    return null;
  }

  private static long least(Tensor leaf) {
    return LongStream.generate(() -> backward(leaf)).limit(9).min().getAsLong();
  }

  private static long backward(Tensor leaf) {
    final long start = System.nanoTime();
    Autograd.backward(leaf.sum());
    return System.nanoTime() - start;
  }

  @Test
  void aHookMayRemoveItself() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor leaf = Tensors.of(new float[1]).requires_grad_(true);
      final int[] calls = new int[1];
      final Runnable[] undo = new Runnable[1];
      undo[0] =
          Autograd.hook(
              leaf,
              false,
              g -> {
                undo[0].run();
                return count(calls);
              });
      backward(leaf);
      backward(leaf);
      assertEquals(1, calls[0]);
    }
  }

  @Test
  void aHookThatGivesAClosedTensorIsNamed() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor leaf = Tensors.of(new float[] {1}).requires_grad_(true);
      final Tensor closed = Tensors.of(new float[1]);
      closed.close();
      Autograd.hook(leaf, false, g -> closed);
      assertEquals(
          "expected a hook to give an open tensor, got a closed one",
          assertThrows(IllegalStateException.class, () -> backward(leaf)).getMessage());
    }
  }

  /** A kernel reads an upstream gradient as the value is. */
  @Test
  void aHookOfANodeCannotChangeWhatAGradientIs() {
    final List<Function<Tensor, Tensor>> changes =
        List.of(
            g -> g.to(ScalarType.Double),
            g -> g.to(ScalarType.Half),
            g -> torch.ones(1),
            g -> torch.ones(3, 1, 1));
    for (final Loss loss : List.of(MSE_NONE, new DiceLoss().reduction(Reduction.NONE))) {
      for (final Function<Tensor, Tensor> change : changes) {
        try (PointerScope scope = new PointerScope()) {
          final Tensor x = torch.rand(3, 1, 2).requires_grad_(true);
          final Tensor value = loss.apply(x, torch.rand(3, 1, 2));
          Autograd.hook(
              value.grad_fn(), true, given -> new Tensor[] {change.apply(given[0].contiguous())});
          final Tensor sum = value.sum();
          final String message =
              assertThrows(RuntimeException.class, () -> Autograd.backward(sum)).getMessage();
          assertTrue(message.contains("has changed the"), message);
        }
      }
    }
  }

  @Test
  void aHookOfNoNodeIsRefused() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = torch.rand(3).requires_grad_(true);
      final Node closed = x.sum().grad_fn();
      closed.close();
      for (final Node node : new Node[] {null, closed}) {
        final String message =
            "expected an open node, got " + (node == null ? "null" : "a closed one");
        for (final Executable call :
            List.<Executable>of(
                () -> Autograd.hook(node, true, g -> g), () -> Autograd.leafOf(node))) {
          assertEquals(message, assertThrows(IllegalStateException.class, call).getMessage());
        }
      }
      final Tensor gone = torch.rand(3);
      gone.close();
      final Tensor sum = x.sum();
      Autograd.hook(sum.grad_fn(), false, given -> new Tensor[] {gone});
      assertEquals(
          "expected a hook to give an open tensor, got a closed one",
          assertThrows(IllegalStateException.class, () -> backward(sum)).getMessage());
    }
  }

  @Test
  void aPositionThatIsNoInputsIsNamed() {
    try (PointerScope scope = new PointerScope();
        ValueAndGradient result = MSE_NONE.valueAndGradient(torch.ones(3), torch.ones(3))) {
      assertEquals(
          "mse_loss: expected an input's position from 0 to 2, got 9",
          assertThrows(IndexOutOfBoundsException.class, () -> result.gradient(9)).getMessage());
      assertEquals(
          "mse_loss: expected a value of one element, got shape [3]",
          assertThrows(IllegalArgumentException.class, result::item).getMessage());
      assertEquals(
          "mse_loss: expected input, target, weight (or none), got null",
          assertThrows(IllegalArgumentException.class, () -> MSE_NONE.apply((Tensor[]) null))
              .getMessage());
    }
  }

  @Test
  void aClosedTensorOfARecordedFunctionIsNamed() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor[] open = {Tensors.of(new float[] {1}).requires_grad_(true)};
      final Tensor[] closed = {Tensors.of(new float[1])};
      closed[0].close();
      final UnaryOperator<Tensor[]> ones = given -> new Tensor[] {given[0]};
      refuses("inputs", () -> Autograd.record("mine", closed, open, open, ones));
      refuses("outputs", () -> Autograd.record("mine", open, closed, open, ones));
      refuses("saved", () -> Autograd.record("mine", open, open, closed, ones));
      final Tensor[] output = {open[0].detach().clone()};
      final Tensor value = Autograd.record("mine", open, output, new Tensor[0], given -> closed)[0];
      refuses("backward", () -> Autograd.backward(value));
    }
  }

  private static void refuses(String what, Executable call) {
    final String message = assertThrows(IllegalStateException.class, call).getMessage();
    assertTrue(message.startsWith("mine: expected " + what), message);
    assertTrue(message.endsWith("open tensors, got a closed one"), message);
  }

  @Test
  void aFormulaThatGivesNoTensorIsNamed() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[1]);
      final Tensor closed = Tensors.of(new float[1]);
      closed.close();
      final Tensor[] wrong = {null, closed, new Tensor()};
      final String[] names = {"null", "a closed one", "an undefined one"};
      for (int i = 0; i < 3; i++) {
        final Tensor value = wrong[i];
        final FormulaLoss loss = FormulaLoss.of("mine", 1, inputs -> value);
        final String message = "mine: expected formula to give an open tensor, got " + names[i];
        assertEquals(
            message, assertThrows(IllegalStateException.class, () -> loss.apply(x)).getMessage());
        assertEquals(
            message,
            assertThrows(IllegalStateException.class, () -> loss.valueAndGradient(x)).getMessage());
        assertThrows(IllegalStateException.class, () -> loss.plus(loss).apply(x));
      }
    }
  }

  @Test
  void anUndefinedInputIsNamedBesideClassWeights() {
    try (PointerScope scope = new PointerScope()) {
      final Loss loss = new FocalLoss().alpha(ClassWeights.of(1, 2));
      assertEquals(
          "focal_loss: expected input, got no tensor",
          assertThrows(
                  IllegalArgumentException.class,
                  () -> loss.apply(new Tensor(), Tensors.of(new long[] {0})))
              .getMessage());
    }
  }

  @Test
  void aCopyThatDoesNotFitIsAnOutOfMemoryError() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor large = torch.zeros(1).expand(1L << 46);
      assertThrows(OutOfMemoryError.class, () -> Tensors.toFloats(large));
      assertThrows(OutOfMemoryError.class, () -> Tensors.toLongs(large));
    }
  }
}
