package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.regression.HuberLoss;
import org.jloss.regression.MseLoss;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses composed by operators: the same object in Python and in Java. */
class ComposeTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec(
        """
        import copy, inspect, pickle, jloss
        a, b = jloss.MseLoss(), jloss.HuberLoss(delta=2.0)
        n = jloss.MseLoss(reduction='none')
        x = jloss.tensor([1.0, 2.0], requires_grad=True)
        y, z = jloss.zeros(2), jloss.ones(2)
        s = 0.5 * a + 0.25 * b

        @jloss.loss
        def own(input, target):
            return (input - target).abs().sum()

        class Scaled(jloss.MseLoss):
            def __init__(self, by):
                super().__init__(reduction='sum')
                self.by = by

            def forward(self, input, target):
                return self.by * super().forward(input, target)

        def error(f):
            try:
                return f()
            except Exception as e:
                return f"{type(e).__name__}: {e}"
        """);
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          s(x, y).item(), s(input=x, target=y).item(), a(x, y).item(), b(x, y).item() | (1.5625, 1.5625, 2.5, 1.25)
          s.value_and_grad(x, y) | (tensor(1.5625), Gradients(input=tensor([0.6250, 1.2500]), target=None, weight=None))
          (a - b / 2)(x, y).item(), (-a)(x, y).item(), sum([a, b, a])(x, y).item(), (+a)(x, y).item() | (1.875, -2.5, 6.25, 2.5)
          repr(s) | 0.5 * MseLoss(reduction='mean') + 0.25 * HuberLoss(reduction='mean', delta=2.0)
          repr(a - b / 2), repr(-a) | ("MseLoss(reduction='mean') - 0.5 * HuberLoss(reduction='mean', delta=2.0)", "-MseLoss(reduction='mean')")
          repr(2 * (a - own)), repr((own + own).renamed(target='t')) | ("2 * MseLoss(reduction='mean') - 2 * Own()", "Own().renamed(target='t') + Own().renamed(target='t')")
          isinstance(s, jloss.Loss), s == a * 0.5 + b / 4, hash(s) == hash(a * 0.5 + b / 4), s == a, s != a + b | (True, True, True, False, True)
          str(inspect.signature(s)), str(inspect.signature(a + b.renamed(target='other'))) | ('(input, target, weight=None)', '(input, target, other, weight=None)')
          (a + b.renamed(target='other'))(x, y, z).item(), (a + b.renamed(target='other'))(x, other=z, target=y).item() | (2.75, 2.75)
          (a + b.renamed(target='t').renamed(t='u'))(x, y, u=z).item(), repr(b.renamed(target='t').renamed(t='u'))[-20:] | (2.75, ".renamed(target='u')")
          [f(s) == s for f in (copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s)))] | [True, True, True]
          jloss.WeightedSum((0.5, a), (0.25, b)) == s, jloss.WeightedSum((2, s), (1, own, {'target': 't'})) == a + b / 2 + own.renamed(target='t') | (True, True)
          (2 * own + a)(x, y).item(), (2 * own + a).value_and_grad(x, y)[1].input.tolist() | (8.5, [3.0, 4.0])
          Scaled(3)(x, y).item(), (Scaled(3) + a)(x, y).item(), Scaled(3).value_and_grad(x, y)[1].input.tolist() | (15.0, 17.5, [6.0, 12.0])
          pickle.loads(pickle.dumps((jloss.MseLoss() - jloss.HuberLoss()).renamed(input='i'))) == (jloss.MseLoss() - jloss.HuberLoss()).renamed(input='i') | True
          (n + n)(x, y).tolist(), (n * 3).value_and_grad(x, y)[1].input.tolist() | ([2.0, 8.0], [6.0, 12.0])
          error(lambda: (n + a)(x, y)) | ValueError: weighted_sum: expected the value of mse_loss to have shape [2] as those before it, got []: give the terms one reduction
          error(lambda: s(x)), error(lambda: s(x, y, z, z)) | ("TypeError: missing the tensor 'target'; expected input, target, weight", 'TypeError: expected at most 3 tensors (input, target, weight), got 4')
          error(lambda: s(x, y, input=x)), error(lambda: s(x, y, other=x)) | ("TypeError: got two values for 'input'; expected input, target, weight", "TypeError: got an unexpected tensor 'other'; expected input, target, weight")
          error(lambda: s(x, 1)) | TypeError: weighted_sum: expected target to be a Tensor, got int
          error(lambda: a + 1), error(lambda: a / 0), error(lambda: a * a) | ("TypeError: unsupported operand type(s) for +: 'MseLoss' and 'int'", 'ZeroDivisionError: division by zero', "TypeError: unsupported operand type(s) for *: 'MseLoss' and 'MseLoss'")
          error(lambda: a * float('inf')) | ValueError: mse_loss: expected a finite factor, got Infinity
          error(lambda: a.renamed(nothing='x')) | ValueError: mse_loss: expected a tensor's name, one of input, target, weight, got nothing
          error(lambda: setattr(s, 'gamma', 2)) | AttributeError: WeightedSum is immutable; add and multiply losses to make a new one
          """)
  void isWhatTheExpressionSays(String expression, String expected) {
    assertEquals(expected, String.valueOf(python.eval("str((" + expression + "))")));
  }

  @Test
  void reachesJava() {
    final Loss expected = new MseLoss().times(0.5).plus(new HuberLoss().delta(2).times(0.25));
    final Loss loss = (Loss) python.get("s");
    assertEquals(expected, loss);
    try (Tensor x = Tensors.of(new double[] {1, 2});
        Tensor y = Tensors.of(new double[] {0, 0});
        ValueAndGradient both = loss.valueAndGradient(x, y);
        ValueAndGradient own = ((Loss) python.eval("2 * own + a")).valueAndGradient(x, y)) {
      assertEquals(1.5625, both.item());
      assertArrayEquals(new double[] {3, 4}, Tensors.toDoubles(own.gradient()));
    }
  }

  @Test
  void comesFromJava() {
    python.set("java", new MseLoss().times(2).minus(new MseLoss().renamed(Map.of("target", "t"))));
    assertEquals(
        "2.0 * MseLoss(reduction='mean') - MseLoss(reduction='mean').renamed(target='t')",
        python.eval("repr(java)"));
    assertEquals(true, python.eval("java == 2 * a - a.renamed(target='t')"));
    assertEquals(4.5, python.eval("java(x, y, z).item()"));
    assertEquals(true, python.eval("pickle.loads(pickle.dumps(java)) == java"));
  }
}
