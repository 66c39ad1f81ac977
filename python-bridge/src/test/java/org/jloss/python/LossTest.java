package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every loss in Python is the one in Java. */
class LossTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec("import inspect, io, pickle, contextlib, jloss");
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  static Stream<Spec> losses() {
    return Losses.all().stream().filter(s -> Loss.class.isAssignableFrom(s.type()));
  }

  /** An input of the first shape that its specification names. */
  private static Tensor input(Spec.InputSpec input, Random random) {
    final List<Long> shape = new ArrayList<>();
    final String first = input.shape().split("\\|")[0].strip();
    for (final String axis : first.replaceAll("[()]", "").split(",")) {
      if (!axis.isBlank()) {
        shape.add(axis.strip().equals("*") ? 3L : axis.strip().equals("C") ? 5L : 4L);
      }
    }
    int count = 1;
    for (final long size : shape) {
      count *= (int) size;
    }
    final long[] sizes = shape.stream().mapToLong(Long::longValue).toArray();
    final double[] values = random.doubles(count).toArray();
    final long[] indices = random.ints(count, 0, 3).asLongStream().toArray();
    switch (input.domain()) {
      case CLASS_INDEX, CLASS_INDEX_OR_SIMPLEX, LABEL:
        return Tensors.of(indices, sizes);
      case SIGN:
        for (int i = 0; i < count; i++) {
          values[i] = values[i] < 0.5 ? -1 : 1;
        }
        break;
      case BINARY:
        for (int i = 0; i < count; i++) {
          values[i] = Math.rint(values[i]);
        }
        break;
      case LOG_PROBABILITY:
        for (int i = 0; i < count; i++) {
          values[i] = Math.log(values[i]);
        }
        break;
      case SIMPLEX:
        // Each is one class's share, so that any class axis sums to about one.
        for (int i = 0; i < count; i++) {
          values[i] = 0.2;
        }
        break;
      default:
        break;
    }
    if (sizes.length == 0) {
      return Tensors.scalar(values[0]);
    }
    return Tensors.of(values, sizes);
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
    try {
      python.eval(expression);
      return "";
    } catch (PythonException e) {
      return e.getMessage();
    }
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
  }

  @Test
  void help() {
    final Script script = Script.run("import jloss; help(jloss.MseLoss)");
    assertTrue(script.out.contains("l = (input - target)^2"), script.toString());
    assertTrue(script.out.contains("MseLoss(*, reduction='mean')"), script.toString());
  }
}
