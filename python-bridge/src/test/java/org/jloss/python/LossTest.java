package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.NativeLibrary;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.annotation.Domain;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every loss in Python is the one in Java. */
class LossTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec("import copy, inspect, pickle, jloss");
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  static Stream<Spec> losses() {
    return Losses.all().stream().filter(s -> Loss.class.isAssignableFrom(s.type()));
  }

  private static final Map<String, Long> SIZES =
      Map.of("N", 4L, "C", 5L, "D", 6L, "K", 7L, "M", 4L, "T", 3L, "Q", 1L, "*", 2L);

  /** An input of the first shape that its specification names. */
  static Tensor input(Spec.InputSpec input, Random random) {
    final String first = input.shape().split("\\|")[0];
    final long[] shape =
        first.equals("()")
            ? new long[0]
            : first.equals("*")
                ? new long[] {4, 5, 2}
                : Arrays.stream(first.split(",")).mapToLong(SIZES::get).toArray();
    final int count = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    final Domain domain = input.domain();
    if (domain == Domain.CLASS_INDEX
        || domain == Domain.CLASS_INDEX_OR_SIMPLEX
        || domain == Domain.LABEL) {
      return Tensors.of(random.longs(count, 0, domain == Domain.LABEL ? 3 : 5).toArray(), shape);
    }
    final double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (domain) {
            case PROBABILITY, SIMPLEX -> 0.05 + 0.9 * random.nextDouble();
            case LOG_PROBABILITY -> Math.log(0.05 + 0.9 * random.nextDouble());
            case BINARY -> random.nextInt(2);
            case SIGN -> random.nextInt(2) * 2 - 1;
            case WEIGHT -> 0.5 + random.nextDouble();
            default -> random.nextGaussian();
          };
    }
    return Tensors.of(values, shape);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void equalsJava(Spec spec) {
    final Loss loss = Losses.create(spec.id());
    final Random random = new Random(spec.id().hashCode());
    final List<Tensor> inputs = new ArrayList<>();
    final List<String> names = new ArrayList<>();
    for (final Spec.InputSpec input : spec.inputs()) {
      if (!input.optional()) {
        inputs.add(input(input, random));
        names.add("in_" + input.name());
        python.set("in_" + input.name(), inputs.get(inputs.size() - 1));
      }
    }
    final String arguments = String.join(", ", names);
    final String name = spec.type().getSimpleName();
    final Tensor[] tensors = inputs.toArray(new Tensor[0]);
    try (ValueAndGradient expected = loss.valueAndGradient(tensors)) {
      final double[] value = Tensors.toDoubles(expected.value());
      for (final String call :
          List.of(
              "jloss." + name + "()(" + arguments + ")",
              "jloss.functional." + spec.id() + "(" + arguments + ")",
              "jloss." + name + "().value_and_grad(" + arguments + ")[0]")) {
        try (Tensor got = (Tensor) python.eval(call)) {
          assertArrayEquals(value, Tensors.toDoubles(got), call);
        }
      }
      python.exec("grads = jloss." + name + "().value_and_grad(" + arguments + ")[1]");
      for (int i = 0; i < spec.inputs().size(); i++) {
        final Tensor gradient = expected.gradient(i);
        final Object got = python.eval("grads." + spec.inputs().get(i).name());
        if (gradient == null) {
          assertNull(got);
        } else {
          assertArrayEquals(Tensors.toDoubles(gradient), Tensors.toDoubles((Tensor) got));
          ((Tensor) got).close();
        }
      }
    }
    inputs.forEach(Tensor::close);
  }

  @ParameterizedTest
  @MethodSource("losses")
  void describesItself(Spec spec) {
    final String cls = "jloss." + spec.type().getSimpleName();
    final String signature = (String) python.eval("str(inspect.signature(" + cls + "))");
    final String function =
        (String) python.eval("str(inspect.signature(jloss.functional." + spec.id() + "))");
    for (final Spec.Parameter parameter : spec.parameters()) {
      assertTrue(signature.contains(parameter.name() + "="), signature);
      assertTrue(function.contains(parameter.name() + "="), function);
    }
    final String doc = (String) python.eval(cls + ".__doc__");
    assertTrue(doc.contains(spec.formula()) && doc.contains(spec.source()), doc);
    spec.inputs().forEach(i -> assertTrue(doc.contains(i.name() + " (" + i.shape() + ")"), doc));
    assertEquals(doc, python.eval("jloss.functional." + spec.id() + ".__doc__"));
    assertEquals(
        List.of(true, true, true),
        python.eval(
            "[pickle.loads(pickle.dumps(%1$s())) == %1$s(), hash(%1$s()) == hash(%1$s()), repr(%1$s()).startswith('%2$s(')]"
                .formatted(cls, spec.type().getSimpleName())));
    assertEquals(true, python.eval("'" + spec.type().getSimpleName() + "' in dir(jloss)"));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void wrongKeyword(Spec spec) {
    final String name = spec.type().getSimpleName();
    assertEquals(
        "TypeError: " + name + ".__init__() got an unexpected keyword argument 'nothing'",
        message("jloss." + name + "(nothing=1)"));
    assertEquals(
        "TypeError: " + spec.id() + "() got an unexpected keyword argument 'nothing'",
        message("jloss.functional." + spec.id() + "(nothing=1)").replaceFirst("missing.*", ""));
  }

  private static String message(String expression) {
    return message(python, expression);
  }

  /** What an expression raises. */
  static String message(PythonBridge python, String expression) {
    try {
      python.eval(expression);
      return "";
    } catch (PythonException e) {
      return e.getMessage();
    }
  }

  @Test
  void aParameterCannotBeAssigned() {
    final PythonException thrown =
        assertThrows(
            PythonException.class,
            () -> python.exec("import jloss\nf = jloss.FocalLoss(gamma=3)\nf.gamma = 5"));
    assertTrue(thrown.getMessage().contains("immutable"), thrown.getMessage());
  }

  @Test
  void errorsKeepTheirTextAndGetPythonsKind() {
    python.exec("a, b = jloss.zeros(2), jloss.zeros(3)");
    assertEquals(
        "ValueError: mse_loss: expected target of shape [2] as input, got [3]",
        message("jloss.MseLoss()(a, b)"));
    assertTrue(
        message("jloss.MseLoss(reduction='median')")
            .startsWith("ValueError: mse_loss: expected reduction"));
    assertTrue(message("jloss.MseLoss()(a, a.double())").startsWith("TypeError: mse_loss: "));
    assertEquals(
        "TypeError: mse_loss: expected target to be a Tensor, got list",
        message("jloss.MseLoss()(a, [0.0, 0.0])"));
    assertEquals(
        "ValueError: cross_entropy_loss: expected target of shape [2, 3] as input, or class indices"
            + " of dtype Long, got Float of shape [2]",
        message("jloss.CrossEntropyLoss()(jloss.zeros(2, 3), a)"));
    assertTrue(
        message("jloss.Mse_Loss").startsWith("AttributeError: module 'jloss' has no attribute"));
  }

  @Test
  void torchsSpelling() {
    assertEquals("MSELoss(reduction='sum')", python.eval("repr(jloss.MSELoss(reduction='sum'))"));
    assertEquals(
        "MSELoss(reduction='sum')", python.eval("repr(jloss.MSELoss(size_average=False))"));
    assertEquals(
        "MSELoss(reduction='none')", python.eval("repr(jloss.MSELoss(None, None, 'none'))"));
    // A tensor given at construction takes part in everything.
    python.exec("w = jloss.tensor([2.0, 3.0]); x = jloss.ones(2); y = jloss.zeros(2)");
    python.exec("held, free = jloss.BCEWithLogitsLoss(pos_weight=w), jloss.BceWithLogitsLoss()");
    assertEquals(true, python.eval("held == jloss.BCEWithLogitsLoss(pos_weight=w) != free"));
    assertEquals(true, python.eval("held(x, x).item() == free(x, x, None, w).item()"));
    assertEquals(
        true,
        python.eval("(held + free)(x, x).item() == (free(x, x, None, w) + free(x, x)).item()"));
    assertEquals(true, python.eval("pickle.loads(pickle.dumps(held)).pos_weight.equal(w)"));
    try (Tensor x = Tensors.of(new float[] {1, 1});
        Tensor java = ((Loss) python.get("held")).apply(x, x)) {
      assertEquals(python.eval("held(x, x).item()"), Tensors.item(java));
    }
  }

  @Test
  void help() {
    final Script script = Script.run("import jloss; help(jloss.MseLoss)");
    assertTrue(script.out.contains("l = (input - target)^2"), script.toString());
    assertTrue(script.out.contains("MseLoss(*, reduction='mean')"), script.toString());
  }

  @Test
  void parametersShowAsTheirTypes() {
    assertEquals(
        "HuberLoss(reduction='mean', delta=3.0)", python.eval("repr(jloss.HuberLoss(delta=3))"));
    assertEquals(1.0, python.eval("jloss.FocalLoss(gamma=1).gamma"));
    assertEquals(-1L, python.eval("jloss.FocalLoss(ignore_index=-1).ignore_index"));
  }

  @Test
  void version() {
    assertEquals(NativeLibrary.version(), python.eval("jloss.__version__"));
  }

  /** In a process of its own, where nothing else has loaded the native library. */
  @Test
  void aLossBeforeAnyTensor(@TempDir Path folder) throws Exception {
    final Path out = folder.resolve("out");
    final Process child = ChildJvm.start(out, List.of(), LossTest.class);
    assertEquals(0, child.waitFor(), () -> ChildJvm.read(out));
    assertEquals(NativeLibrary.version() + "\nfalse\n1.0\n0.0\n", ChildJvm.read(out));
  }

  public static void main(String[] arguments) throws IOException {
    try (PythonBridge bridge = PythonBridge.create()) {
      bridge.exec("import jloss; print(jloss.__version__)");
      System.out.println(Files.readString(Path.of("/proc/self/maps")).contains("libtorch"));
      bridge.exec("import jloss; loss = jloss.FocalLoss(gamma=1); print(loss.gamma)");
      bridge.exec("print(loss(jloss.tensor([[200.0, 0.0]]), jloss.tensor([0])).item())");
    }
  }

  /** Nothing but its record and a line in META-INF/jloss/losses.txt is needed. */
  @Test
  void aLossThatOnlyTheTestsHave() {
    assertEquals(
        "(*, weight=None, up_to=inf, count=-3, flag=True, maybe=None, quantiles=(0.25, 0.5),"
            + " shades=('light', 'very_dark'), reduction='sum')",
        python.eval("str(inspect.signature(jloss.EveryKindLoss))"));
    assertEquals(
        "EveryKindLoss(weight=[1.0, 2.0], up_to=0.5, count=7, flag=False, maybe=1.5, quantiles=0.5,"
            + " shades='light', reduction='mean')",
        python.eval(
            "repr(jloss.EveryKindLoss(weight=jloss.tensor([1.0, 2.0]), up_to=0.5, count=7,"
                + " flag=False, maybe=1.5, quantiles=0.5, shades='light', reduction='mean'))"));
    assertEquals(
        3.0,
        python.eval(
            "jloss.functional.every_kind_loss(jloss.tensor([1.0, -2.0]), jloss.zeros(2)).item()"));
    assertTrue(
        message("jloss.EveryKindLoss(shades=['pale'])")
            .startsWith("ValueError: every_kind_loss: expected shades one of light, very_dark"));
    assertTrue(
        message("jloss.EveryKindLoss(up_to=-1)")
            .startsWith("ValueError: every_kind_loss: expected up_to >= 0"));
    assertEquals(true, python.eval("'\\\"target\\\"|, \\\\ or é' in jloss.EveryKindLoss.__doc__"));
    assertTrue(
        Stubs.classes()
            .contains("class EveryKindLoss(Loss):\n    @property\n    def weight(self) -> "));
    assertTrue(Stubs.functions().contains("def every_kind_loss(input: Tensor, target: Tensor, "));
  }

  @ParameterizedTest
  @MethodSource("losses")
  void copiesAndPicklesKeepParameters(Spec spec) {
    assertEquals(
        true,
        python.eval(
            "(lambda a: copy.copy(a) == a and copy.deepcopy(a) == a and (2 * a) / 2 == a / 1"
                .concat(" and pickle.loads(pickle.dumps(-a)) == -a)(jloss.%s())")
                .formatted(spec.type().getSimpleName())));
  }
}
