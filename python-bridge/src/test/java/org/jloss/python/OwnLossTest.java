package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jloss.CustomLoss;
import org.jloss.FormulaLoss;
import org.jloss.Indices;
import org.jloss.Loss;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses of one's own, from Java to Python and back. */
class OwnLossTest {
  private PythonBridge python;

  @BeforeEach
  void start() {
    python = PythonBridge.create();
    python.exec(
        "import jloss\nx = jloss.tensor([1.0, 2.0], requires_grad=True)\ny = jloss.zeros(2)");
  }

  @AfterEach
  void stop() {
    python.close();
  }

  /** factor * (input - target)^2. */
  @Definition(id = "scaled_square", formula = "factor (input - target)^2", source = "test")
  @Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
  @Input(name = "target", shape = "*", domain = Domain.REAL)
  public record ScaledSquare(double factor) implements CustomLoss {
    @Override
    public Tensor forward(@Nullable Tensor[] in) {
      try (Scalar scale = new Scalar(factor)) {
        return in[0].sub(in[1]).square().sum().mul(scale);
      }
    }

    @Override
    public @Nullable Tensor[] backward(@Nullable Tensor[] in, Tensor upstream) {
      if (factor < 0) {
        throw new IllegalArgumentException("scaled_square: expected factor >= 0");
      }
      try (Scalar scale = new Scalar(2 * factor)) {
        return new Tensor[] {in[0].sub(in[1]).mul(scale).mul(upstream), null};
      }
    }
  }

  private String gradients(String loss) {
    python.exec("x.grad = None; " + loss + "(x, y).backward()");
    return (String)
        python.eval(
            "str((%1$s(x, y).item(), x.grad.tolist(), %1$s.value_and_grad(x, y)[1][0].tolist()))"
                .formatted(loss));
  }

  @Test
  void aFormulaOfJava() {
    final Loss loss = FormulaLoss.of("sum_square", 2, in -> in[0].sub(in[1]).square().sum());
    python.set("own", loss);
    assertEquals("(5.0, [2.0, 4.0], [2.0, 4.0])", gradients("own"));
    assertEquals("SumSquare()", python.eval("repr(own)"));
    assertEquals(true, python.eval("isinstance(own, jloss.Loss) and own == own"));
    assertEquals(loss, python.get("own"));
    assertTrue(
        LossTest.message(python, "own(x, 1)").startsWith("TypeError: sum_square: expected input1"));
    assertEquals(
        "RuntimeError: The size of tensor a (2) must match the size of tensor b (3) at non-singleton"
            + " dimension 0",
        LossTest.message(python, "own(x, jloss.zeros(3))"));
    assertTrue(LossTest.message(python, "type(own)()").startsWith("TypeError: SumSquare was made"));
  }

  @Test
  void aRecordOfJava() {
    python.set("own", new ScaledSquare(0.5));
    assertEquals("(2.5, [1.0, 2.0], [1.0, 2.0])", gradients("own"));
    assertEquals("ScaledSquare(factor=0.5)", python.eval("repr(own)"));
    assertEquals(0.5, python.eval("own.factor"));
    assertEquals("[1.0, 2.0]", python.eval("str(own.value_and_grad(x, y)[1].input.tolist())"));
    python.set("same", new ScaledSquare(0.5));
    assertEquals(true, python.eval("own == same and hash(own) == hash(same)"));
    python.set("broken", new ScaledSquare(-1));
    assertEquals(
        "ValueError: scaled_square: expected factor >= 0",
        LossTest.message(python, "broken(x, y).backward()"));
  }

  @Test
  void aFunctionOfPython() {
    python.exec(
        """
        def half_square(input, target, weight=None, factor=0.5):
            terms = factor * (input - target) ** 2
            return (terms if weight is None else terms * weight).sum()

        own = jloss.loss(half_square)
        """);
    assertEquals("(2.5, [1.0, 2.0], [1.0, 2.0])", gradients("own"));
    for (final String name : List.of("half_square", "own")) {
      final Loss loss = (Loss) python.get(name);
      assertEquals("half_square", loss.spec().id());
      assertEquals(
          List.of("input", "target", "weight"),
          loss.spec().inputs().stream().map(i -> i.name()).toList());
      try (Tensor x = Tensors.of(new float[] {1, 2});
          Tensor y = Tensors.of(new float[] {0, 0});
          Tensor value = loss.apply(x, y);
          Tensor weighted = loss.apply(x, y, x);
          ValueAndGradient both = loss.valueAndGradient(x, y)) {
        assertEquals(2.5, Tensors.item(value));
        assertEquals(4.5, Tensors.item(weighted));
        assertEquals(2.5, Tensors.item(both.value()));
        assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(both.gradient(0)));
        x.requires_grad_(true);
        try (Tensor graph = loss.apply(x, y)) {
          graph.backward();
          try (Tensor grad = x.grad()) {
            assertArrayEquals(new float[] {1, 2}, Tensors.toFloats(grad));
          }
        }
      }
    }
  }

  @Test
  void aClassOfPython() {
    python.exec(
        """
        class Plain:
            def forward(self, a, b):
                return (a - b).abs().sum()

        class Derived(jloss.Loss):
            def __init__(self, factor):
                self.factor = factor

            def forward(self, a, b):
                return self.factor * (a - b).abs().sum()

        plain, derived = Plain(), Derived(2)
        """);
    assertEquals("(6.0, [2.0, 2.0], [2.0, 2.0])", gradients("derived"));
    assertEquals(true, python.eval("derived == Derived(2) != Derived(3)"));
    try (Tensor x = Tensors.of(new float[] {1, 2});
        Tensor y = Tensors.of(new float[] {0, 0});
        Tensor one = ((Loss) python.get("plain")).apply(x, y);
        Tensor two = ((Loss) python.get("derived")).apply(x, y)) {
      assertEquals(3.0, Tensors.item(one));
      assertEquals(6.0, Tensors.item(two));
    }
  }

  /** By the class, the parameters and the attributes; see also ComposeTest. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Plain(1) == Plain(1) != Plain(2)",
        "Plain(1, gamma=2) == Plain(1) != Plain(1, gamma=3)",
        "Plain(1) != jloss.FocalLoss() and jloss.FocalLoss() != Plain(1)",
        "Plain([t, 1]) == Plain([t + 0, 1]) != Plain([t + 1, 1])",
        "Forward(1) == Forward(1) != Forward(2) and Forward(1) != Plain(1)",
        "Forward(1, gamma=3) != Forward(1)",
        "Bare({'a': t}) == Bare({'a': t + 0}) != Bare({'a': t.double()})",
        "Bare(1) != Other(1) and Bare(1) != 1",
        "hash(Plain(1)) == hash(Plain(1)) and hash(Bare(t)) == hash(Bare(t + 0))",
        "{kept: 5}[(kept(t, t), setattr(kept, 'w', 7), kept)[-1]] == 5",
        "2 * Bare(1) + Plain(1) == 2 * Bare(1) + Plain(1) != 2 * Bare(2) + Plain(1)",
        "hash(2 * Plain(1)) == hash(2 * Plain(1)) and 2 * Plain(1) != 2 * Plain(2)",
        "copy.deepcopy(Bare(t)) == Bare(t) and pickle.loads(pickle.dumps(Plain(2))) == Plain(2)",
      })
  void equalityOfObjectsOfPython(String claim) {
    python.exec(
        """
        import copy, pickle

        class Plain(jloss.FocalLoss):
            def __init__(self, w, **parameters):
                super().__init__(**parameters)
                self.w = w

        class Forward(Plain):
            def forward(self, input, target):
                return input.sum() * self.w

        class Bare(jloss.Loss):
            def __init__(self, w):
                self.w = w

            def forward(self, input, target):
                return (input - target).sum() * self.w

        class Other(Bare):
            pass

        t, kept = jloss.tensor([1.0, 2.0]), Bare(1)
        """);
    assertEquals(true, python.eval(claim));
  }

  /** Gradients of its own, and a state that grows with each call. */
  @Test
  void gradientsAndStateOfPython() {
    python.exec(
        """
        class Centred:
            def __init__(self):
                self.mean, self.calls = jloss.zeros(2), 0

            def forward(self, input, target):
                self.calls += 1
                self.mean = 0.5 * self.mean + 0.5 * input.detach()
                return ((input - target) ** 2).sum()

            def backward(self, upstream, input, target):
                return 10 * upstream * (input - target)

        centred = Centred()
        own = jloss.loss(centred)
        """);
    assertEquals("(5.0, [10.0, 20.0], [10.0, 20.0])", gradients("own"));
    assertEquals("(3, [0.875, 1.75])", python.eval("str((centred.calls, centred.mean.tolist()))"));
    try (Tensor x = Tensors.of(new float[] {1, 2});
        Tensor y = Tensors.of(new float[] {0, 0})) {
      x.requires_grad_(true);
      try (Tensor value = ((Loss) python.get("centred")).apply(x, y)) {
        value.backward();
      }
      try (Tensor grad = x.grad()) {
        assertArrayEquals(new float[] {10, 20}, Tensors.toFloats(grad));
      }
    }
    assertEquals(4L, python.eval("centred.calls"));
    assertEquals("[0.9375, 1.875]", python.eval("str(centred.mean.tolist())"));
    python.exec("other = __import__('copy').deepcopy(own); other(x, y)");
    assertEquals(4L, python.eval("centred.calls"));
  }

  @Test
  void errorsOfGradients() {
    python.exec(
        """
        def wrong(result):
            return jloss.loss(lambda a: a.sum(), name="own", backward=lambda up, a: result(a))
        shape, kind = wrong(lambda a: jloss.zeros(3)), wrong(lambda a: 3)
        many, failing = wrong(lambda a: (a, a)), wrong(lambda a: 1 / 0)
        """);
    for (final String call : List.of("(x).backward()", ".value_and_grad(x)")) {
      assertEquals(
          "ValueError: own: expected the gradient of a to have shape [2], got [3]",
          LossTest.message(python, "shape" + call));
      assertEquals(
          "TypeError: own: expected backward to give 1 gradients, got 2",
          LossTest.message(python, "many" + call));
      assertEquals(
          "ZeroDivisionError: division by zero", LossTest.message(python, "failing" + call));
      assertTrue(LossTest.message(python, "kind" + call).startsWith("TypeError: "));
    }
  }

  @Test
  void aMinerOfPython() throws Exception {
    python.exec(
        """
        @jloss.miner
        def firsts(embeddings, labels):
            "Each with the first."
            i = jloss.arange(len(labels))
            return i, i * 0, i

        class Pairs(jloss.Miner):
            def forward(self, embeddings):
                i = jloss.arange(len(embeddings))
                return i, i, i, i

        e, labels = jloss.zeros(3, 2), jloss.zeros(3, dtype=int)
        mine = Pairs()
        """);
    assertEquals("[0, 0, 0]", python.eval("str(firsts(e, labels).positive.tolist())"));
    assertEquals("[0, 1, 2]", python.eval("str(mine(e).negative.tolist())"));
    assertEquals(true, python.eval("firsts.__doc__.startswith('Each with the first.')"));
    try (Tensor e = Tensors.of(new float[] {1, 2, 3, 4}, 2, 2);
        Tensor labels = Tensors.of(new long[] {0, 1});
        Indices triplets = ((Miner) python.get("firsts")).mine(e, labels);
        Indices pairs = ((Miner) python.get("mine")).mine(e)) {
      assertArrayEquals(new long[] {0, 0}, Tensors.toLongs(triplets.tensors().get("positive")));
      assertEquals(4, pairs.size());
    }
    for (final String wrong : List.of("(e, e)", "(e, e, e)", "(labels, labels, labels[:1])")) {
      assertTrue(
          LossTest.message(python, "jloss.miner(lambda e: " + wrong + ")(e)")
              .startsWith("ValueError: lambda: expected "));
    }
  }

  @Test
  void decoratedOnesPickleByName() {
    python.exec(
        """
        import copy, pickle

        @jloss.loss
        def decorated(input, target):
            return (input - target).abs().sum()

        @jloss.miner
        def mine(embeddings):
            return (jloss.zeros(1, dtype=jloss.int64),) * 3

        class Holder:
            @jloss.loss(name="held")
            def loss(input):
                return input.sum()

        def function(input):
            return input.sum()

        def local():
            @jloss.loss
            def inner(input):
                return input.sum()
            return inner

        def there_and_back(own):
            return pickle.loads(pickle.dumps(own))
        """);
    for (final String own : List.of("decorated", "mine", "Holder.loss")) {
      assertEquals(true, python.eval("there_and_back(" + own + ") is " + own), own);
      assertEquals(true, python.eval("copy.deepcopy(" + own + ") is " + own), own);
    }
    assertEquals(6.0, python.eval("there_and_back(2 * decorated)(x, y).item()"));
    // Not the decorated function's name, but a function that has one.
    assertEquals(3.0, python.eval("there_and_back(jloss.loss(function))(x).item()"));
    assertTrue(LossTest.message(python, "pickle.dumps(local())").contains("local.<locals>.inner"));
  }

  @Test
  void copiesOfJavasOwn() {
    python.set("own", FormulaLoss.of("square", 1, in -> in[0].square().sum()));
    python.exec("import copy, pickle");
    assertEquals(true, python.eval("copy.copy(own) is own and copy.deepcopy([own])[0] is own"));
    assertTrue(
        LossTest.message(python, "pickle.dumps(own)")
            .startsWith("TypeError: cannot pickle 'Square' object"));
  }

  @Test
  void exceptionsCross() {
    python.exec(
        """
        class Odd(Exception):
            pass

        def odd(a):
            raise Odd("seven")

        def nothing(a):
            pass

        own = jloss.loss(odd)
        def caught():
            try:
                own(x)
            except Odd as error:
                return str(error)
        """);
    try (Tensor x = Tensors.of(new float[] {1, 2})) {
      final Loss odd = (Loss) python.get("odd");
      for (final var call :
          List.<org.junit.jupiter.api.function.Executable>of(
              () -> odd.apply(x), () -> odd.valueAndGradient(x))) {
        final PythonException error = assertThrows(PythonException.class, call);
        assertEquals("Odd: seven", error.getMessage());
        assertTrue(error.traceback().contains("in odd"), error.traceback());
      }
      final Loss nothing = (Loss) python.get("nothing");
      assertEquals(
          "TypeError: nothing: expected a Tensor, got NoneType",
          assertThrows(PythonException.class, () -> nothing.apply(x)).getMessage());
      assertEquals("seven", python.eval("caught()"));
      try (PythonBridge other = PythonBridge.create()) {
        other.set("own", odd);
        other.set("x", x);
        assertEquals("RuntimeError: seven", LossTest.message(other, "own(x)"));
      }
      python.close();
      assertThrows(RuntimeException.class, () -> odd.apply(x));
    }
  }

  /** A loss of Java's whose gradient asks Python. */
  private record Asking(Loss python) implements CustomLoss {
    @Override
    public Spec spec() {
      return python.spec();
    }

    @Override
    public Tensor forward(@Nullable Tensor[] in) {
      return in[0].sum();
    }

    @Override
    public @Nullable Tensor[] backward(@Nullable Tensor[] in, Tensor upstream) {
      return new Tensor[] {python.apply(in)};
    }
  }

  @Test
  void pythonInsideABackwardPass() {
    python.exec("def twice(a):\n    return jloss.cat([a, a])[:2] * 2");
    python.set("asking", new Asking((Loss) python.get("twice")));
    python.exec("asking(x).backward()");
    assertEquals("[2.0, 4.0]", python.eval("str(x.grad.tolist())"));
  }

  @Test
  void whatIsNoLoss() {
    for (final String wrong : List.of("3", "jloss.MseLoss", "lambda: 1", "lambda *a: 1")) {
      assertTrue(
          LossTest.message(python, "jloss.loss(" + wrong + ")").startsWith("TypeError: loss(): "));
    }
  }
}
