package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Autograd;
import org.jloss.CustomLoss;
import org.jloss.FormulaLoss;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Parameters;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.regression.MseLoss;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Losses that a user writes. */
class OwnLossTest {

  @Definition(id = "log_cosh", formula = "mean log cosh(scale (input - target))", source = "mine")
  @Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
  @Input(name = "target", shape = "*", domain = Domain.REAL)
  public record LogCosh(double scale) implements FormulaLoss {
    public LogCosh() {
      this(1);
    }

    @Override
    public Tensor formula(@Nullable Tensor[] in) {
      return in[0].sub(in[1]).mul(new Scalar(scale)).cosh().log().mean();
    }
  }

  @Test
  void theExamplesOfTheDocumentation() throws IOException {
    Loss halfSquare =
        FormulaLoss.of(
            "half_square", 2, in -> in[0].sub(in[1]).square().sum().mul(new Scalar(0.5)));
    Loss both = new LogCosh(2).plus(new MseLoss().times(0.1));
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 3}).requires_grad_(true);
      final Tensor t = Tensors.of(new float[] {1, 2});
      assertEquals(0.5, Tensors.item(halfSquare.apply(x, t)));
      final Tensor value = both.apply(x, t);
      assertEquals(0.05 + Math.log(Math.cosh(2)) / 2, Tensors.item(value), 1e-6);
      value.backward();
      assertArrayEquals(
          new float[] {0, (float) (0.1 + Math.tanh(2))}, Tensors.toFloats(x.grad()), 1e-6f);
    }
    final String own = Files.readString(Path.of("src/test/java/org/jloss/test/OwnLossTest.java"));
    final List<String> examples =
        Stream.concat(
                examples("../README.md", "```java\n(.*?)```"),
                examples(
                    "../java-api/src/main/java/org/jloss/FormulaLoss.java",
                    "@code\n(.*?)\n \\* }</pre>"))
            .toList();
    assertEquals(4, examples.size());
    for (final String example : examples) {
      final String text = IMPORT.matcher(example).replaceAll("");
      assertTrue(plain(own).contains(plain(text)), example);
      if (!text.equals(example)) {
        assertEquals(imports(own).filter(i -> uses(text, i)).toList(), imports(example).toList());
      }
    }
    assertEquals(2, examples.stream().filter(e -> IMPORT.matcher(e).find()).count());
  }

  private static final Pattern IMPORT = Pattern.compile("(?m)^import (\\w[\\w.]*);\n");

  private static Stream<String> imports(String text) {
    return IMPORT.matcher(text).results().map(m -> m.group(1));
  }

  private static boolean uses(String text, String type) {
    final String name = type.substring(type.lastIndexOf('.') + 1);
    return Pattern.compile("\\b" + name + "\\b").matcher(text).find();
  }

  private static Stream<String> examples(String file, String pattern) throws IOException {
    return Pattern.compile(pattern, Pattern.DOTALL)
        .matcher(Files.readString(Path.of(file)))
        .results()
        .map(m -> m.group(1).replaceAll("(?m)^ \\* ?", ""))
        .filter(example -> example.contains("FormulaLoss"));
  }

  @Test
  void whatIsListedNeedsDefaults() {
    assertEquals(new LogCosh(1), Losses.instantiate(Spec.of(LogCosh.class), Map.of()));
    assertEquals(
        "own_square: expected "
            + OwnSquare.class.getName()
            + " to have a public constructor without arguments, for its defaults",
        assertThrows(
                IllegalStateException.class,
                () -> Losses.instantiate(Spec.of(OwnSquare.class), Map.of("factor", 2.0)))
            .getMessage());
  }

  private static String plain(String text) {
    return text.replaceAll("\\s+", "");
  }

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
  void errorsCrossAsThemselvesAndAreForgotten() {
    final CustomLoss error =
        new OwnLoss(
            in -> {
              throw new AssertionError("of the user");
            });
    final CustomLoss late = failing(null, new ArithmeticException("old"));
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 2}).requires_grad_(true);
      assertThrows(AssertionError.class, () -> error.apply(x));
      // The preset's own backward knows nothing of ours; what it threw must not come up later.
      assertThrows(RuntimeException.class, () -> late.apply(x).backward());
      final RuntimeException other =
          assertThrows(RuntimeException.class, () -> Autograd.backward(x));
      assertFalse(other instanceof ArithmeticException, other::toString);
      assertTrue(other.getMessage().contains("grad can be implicitly created"), other.getMessage());
    }
  }

  @Test
  void anInputGivenBackIsNotShared() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 2});
      new OwnLoss(in -> in[0]).apply(x).zero_();
      assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(x));
    }
  }

  @Test
  void valueAndGradientRecordsNothing() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor x = Tensors.of(new float[] {1, 2}).requires_grad_(true);
      assertFalse(new OwnSquare(1).valueAndGradient(x).value().requires_grad());
      assertFalse(new OwnSquare(1).valueAndGradient(x).gradient().requires_grad());
    }
  }

  /** A loss from a function, without a gradient. */
  private record OwnLoss(java.util.function.Function<Tensor[], Tensor> function)
      implements CustomLoss {
    @Override
    public Spec spec() {
      return Spec.of(OwnSquare.class);
    }

    @Override
    public Tensor forward(@Nullable Tensor[] in) {
      return function.apply(in);
    }

    @Override
    public @Nullable Tensor[] backward(@Nullable Tensor[] in, Tensor upstream) {
      return new Tensor[] {null};
    }
  }

  /** A sum with whatever gradient. */
  private record SumWith(Supplier<Tensor> gradient) implements CustomLoss {
    @Override
    public Spec spec() {
      return Spec.of(OwnSquare.class);
    }

    @Override
    public Tensor forward(@Nullable Tensor[] in) {
      return in[0].sum();
    }

    @Override
    public @Nullable Tensor[] backward(@Nullable Tensor[] in, Tensor upstream) {
      return new Tensor[] {gradient.get()};
    }
  }

  @Test
  void aClosedGradientIsNamed() {
    try (PointerScope scope = new PointerScope()) {
      final Tensor closed = Tensors.of(new float[3]);
      closed.close();
      final CustomLoss loss = new SumWith(() -> closed);
      final Tensor x = Tensors.of(new float[3]).requires_grad_(true);
      final String message = "own_square: expected backward to give open tensors, got a closed one";
      for (final Executable call :
          List.<Executable>of(
              () -> loss.valueAndGradient(x), () -> Autograd.backward(loss.apply(x)))) {
        assertEquals(message, assertThrows(IllegalStateException.class, call).getMessage());
      }
    }
  }

  @Test
  void anExceptionThatBackwardHandledIsNotTakenForALaterOne() {
    try (PointerScope scope = new PointerScope()) {
      final CustomLoss failing = failing(null, new IllegalStateException("handled"));
      final CustomLoss loss =
          new SumWith(
              () -> {
                final Tensor inner = Tensors.of(new float[] {1}).requires_grad_(true);
                assertThrows(RuntimeException.class, () -> failing.apply(inner).backward());
                return Tensors.of(new float[7]);
              });
      final Tensor x = Tensors.of(new float[3]).requires_grad_(true);
      final Throwable thrown =
          assertThrows(RuntimeException.class, () -> Autograd.backward(loss.apply(x)));
      assertTrue(thrown.getMessage().contains("shape"), thrown.getMessage());
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
