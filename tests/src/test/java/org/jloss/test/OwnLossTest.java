package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Autograd;
import org.jloss.CustomLoss;
import org.jloss.FormulaLoss;
import org.jloss.Loss;
import org.jloss.Parameters;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Losses that a user writes. */
class OwnLossTest {

  /** l = factor x² summed, with a gradient of its own. */
  @Definition(id = "own_square", formula = "factor x^2", source = "this test")
  @Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
  public record OwnSquare(double factor) implements CustomLoss {
    public OwnSquare {
      Parameters.check(OwnSquare.class, factor);
    }

    @Override
    public Tensor forward(@Nullable Tensor[] in) {
      return in[0].square().sum().mul(new Scalar(factor));
    }

    @Override
    public @Nullable Tensor[] backward(@Nullable Tensor[] in, Tensor upstream) {
      return new Tensor[] {in[0].mul(new Scalar(2 * factor)).mul(upstream)};
    }
  }

  @Test
  void gradientOfItsOwn() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 2, 3}).requires_grad_(true);
      final Tensor value = new OwnSquare(0.5).apply(x);
      assertEquals(7, Tensors.item(value));
      value.mul(new Scalar(3)).backward();
      assertArrayEquals(new float[] {3, 6, 9}, Tensors.toFloats(x.grad()));
      assertArrayEquals(
          new float[] {1, 2, 3},
          Tensors.toFloats(new OwnSquare(0.5).valueAndGradient(x).gradient()));
    }
  }

  @Test
  void formulaOfItsOwn() {
    final Loss loss = FormulaLoss.of("half", 2, in -> in[0].sub(in[1]).square().sum());
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 2}).requires_grad_(true);
      final Tensor t = Tensors.of(new float[] {0, 0});
      loss.apply(x, t).backward();
      assertArrayEquals(new float[] {2, 4}, Tensors.toFloats(x.grad()));
      assertArrayEquals(
          new float[] {2, 4}, Tensors.toFloats(loss.valueAndGradient(x, t).gradient()));
    }
  }

  @Test
  void exceptionsCrossAsThemselves() {
    final RuntimeException ours = new ArithmeticException("of the user");
    final CustomLoss loss = failing(ours, null);
    final CustomLoss late = failing(null, ours);
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 2}).requires_grad_(true);
      assertSame(ours, assertThrows(ArithmeticException.class, () -> loss.apply(x)));
      final Tensor value = late.apply(x);
      assertSame(ours, assertThrows(ArithmeticException.class, () -> Autograd.backward(value)));
    }
  }

  @Test
  void nothingIsLeftBehind() {
    for (int i = 0; i < 200; i++) {
      gradientOfItsOwn();
      exceptionsCrossAsThemselves();
    }
    final long before = Pointer.totalCount();
    for (int i = 0; i < 200; i++) {
      gradientOfItsOwn();
      exceptionsCrossAsThemselves();
    }
    assertEquals(before, Pointer.totalCount());
  }

  private static CustomLoss failing(
      @Nullable RuntimeException forward, @Nullable RuntimeException backward) {
    return new CustomLoss() {
      @Override
      public Spec spec() {
        return Spec.of(OwnSquare.class);
      }

      @Override
      public Tensor forward(@Nullable Tensor[] in) {
        if (forward != null) {
          throw forward;
        }
        return in[0].sum();
      }

      @Override
      public @Nullable Tensor[] backward(@Nullable Tensor[] in, Tensor upstream) {
        throw backward;
      }
    };
  }
}
