package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jloss.annotation.Domain;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Whatever is wrong is an exception of the right type whose message names the loss and the
 * argument.
 */
class BadInputTest {
  private static final Class<IllegalArgumentException> VALUE = IllegalArgumentException.class;
  private static final Class<UnsupportedOperationException> TYPE =
      UnsupportedOperationException.class;

  /** A wrong argument in the place of one input. */
  private record Fault(String name, int input, Class<? extends Throwable> type, Change change) {}

  private interface Change {
    Tensor apply(Tensor good);
  }

  @TestFactory
  Stream<DynamicTest> wrongTensors() {
    return Losses.all().stream().flatMap(spec -> faults(spec).stream().map(f -> test(spec, f)));
  }

  /** Whatever the system is: its call with these inputs. */
  private static void call(Spec spec, Tensor[] inputs) {
    if (Memory.class.isAssignableFrom(spec.type())) {
      final Map<String, Object> parameters =
          Map.of("size", 4L, "dim", Samples.Sizes.SMALL.letters().get("D"));
      try (Memory memory = (Memory) Losses.instantiate(spec, parameters)) {
        memory.enqueue(inputs[0]);
      }
    } else if (Losses.instantiate(spec, Map.of()) instanceof Miner miner) {
      miner.mine(inputs);
    } else {
      Losses.create(spec.id()).apply(inputs);
    }
  }

  private static List<Fault> faults(Spec spec) {
    final List<Fault> faults = new ArrayList<>();
    // Of a memory's inputs the keys alone are an argument.
    final boolean memory = Memory.class.isAssignableFrom(spec.type());
    for (int i = 0; i < (memory ? 1 : spec.inputs().size()); i++) {
      final Spec.InputSpec input = spec.inputs().get(i);
      final boolean index =
          input.domain() == Domain.CLASS_INDEX || input.domain() == Domain.CLASS_INDEX_OR_SIMPLEX;
      if (!input.optional()) {
        faults.add(new Fault("null", i, VALUE, t -> null));
        faults.add(new Fault("undefined", i, VALUE, t -> new Tensor()));
      }
      faults.add(
          new Fault(
              "closed",
              i,
              IllegalStateException.class,
              t -> {
                final Tensor copy = new Tensor(t);
                copy.close();
                return copy;
              }));
      faults.add(new Fault("complex", i, TYPE, t -> t.to(ScalarType.ComplexFloat)));
      faults.add(new Fault("bool", i, TYPE, t -> t.to(ScalarType.Bool)));
      faults.add(new Fault("sparse", i, TYPE, Tensor::to_sparse));
      faults.add(new Fault("nested", i, TYPE, t -> torch.nested_tensor(pair(t, t))));
      faults.add(new Fault("float8", i, TYPE, t -> t.to(ScalarType.Float8_e4m3fn)));
      faults.add(
          new Fault("two axes too many", i, VALUE, t -> t.unsqueeze(0).unsqueeze(0).unsqueeze(0)));
      if (i > 0 && first(input).equals(first(spec.inputs().get(0)))) {
        faults.add(
            new Fault(
                "twice as long along the first axis",
                i,
                VALUE,
                t -> t.dim() == 0 ? t.reshape(1, 1, 1) : torch.cat(pair(t, t), 0)));
      }
      if (i > 0) {
        faults.add(new Fault("meta", i, VALUE, BadInputTest::meta));
      }
      if (index) {
        faults.add(
            new Fault(
                "class too large", i, IndexOutOfBoundsException.class, t -> t.add(scalar(50))));
        faults.add(
            new Fault(
                "class negative", i, IndexOutOfBoundsException.class, t -> t.sub(scalar(50))));
        faults.add(new Fault("int32 classes", i, TYPE, t -> t.to(ScalarType.Int)));
      } else if (i > 0) {
        faults.add(new Fault("another float", i, TYPE, t -> t.to(ScalarType.Double)));
      }
    }
    return faults;
  }

  private static String first(Spec.InputSpec input) {
    return input.shape().split("[,|]")[0];
  }

  private static DynamicTest test(Spec spec, Fault fault) {
    final String name = spec.inputs().get(fault.input()).name();
    return dynamicTest(
        spec.id() + ": " + name + " " + fault.name(),
        () -> {
          try (PointerScope scope = new PointerScope()) {
            final Tensor[] inputs =
                Samples.inputs(spec, Samples.Sizes.SMALL, ScalarType.Float, true, 23);
            inputs[fault.input()] = fault.change().apply(inputs[fault.input()]);
            final Throwable thrown =
                assertThrows(Throwable.class, () -> call(spec, inputs), spec.id() + " took it");
            assertEquals(fault.type(), thrown.getClass(), thrown::toString);
            final String message = thrown.getMessage();
            assertTrue(
                message.startsWith(spec.id() + ": ")
                    && message.contains(name)
                    && !message.contains("frame #"),
                message);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> wrongCounts() {
    return Samples.losses()
        .map(
            spec ->
                dynamicTest(
                    spec.id(),
                    () -> {
                      final Loss loss = Losses.create(spec.id());
                      final Tensor[] many = new Tensor[spec.inputs().size() + 1];
                      assertThrows(VALUE, () -> loss.apply(many));
                      assertThrows(VALUE, () -> loss.apply(new Tensor[0]));
                    }));
  }

  @TestFactory
  Stream<DynamicTest> parametersOutOfRange() {
    return Losses.all().stream()
        .flatMap(
            spec ->
                spec.parameters().stream()
                    .flatMap(p -> wrong(spec, p).stream().map(v -> test(spec, p, v))));
  }

  private static List<Object> wrong(Spec spec, Spec.Parameter parameter) {
    final Class<?> type = parameter.type();
    final List<Object> values = new ArrayList<>();
    values.add("no such thing");
    if (type == double.class || type == Double.class) {
      values.add(Double.NaN);
      if (parameter.openMin() || parameter.min() > Double.NEGATIVE_INFINITY) {
        values.add(parameter.openMin() ? parameter.min() : parameter.min() - 1);
      }
      if (parameter.openMax() || parameter.max() < Double.POSITIVE_INFINITY) {
        values.add(parameter.openMax() ? parameter.max() : parameter.max() + 1);
      }
    }
    if (type == Reduction.class) {
      for (final Reduction reduction : Reduction.values()) {
        if (!spec.reductions().contains(reduction)) {
          values.add(reduction);
        }
      }
    }
    return values;
  }

  private static DynamicTest test(Spec spec, Spec.Parameter parameter, Object value) {
    return dynamicTest(
        spec.id() + ": " + parameter.name() + " " + value,
        () -> {
          final Map<String, Object> parameters = new HashMap<>();
          parameters.put(parameter.name(), value);
          final Throwable thrown = assertThrows(VALUE, () -> Losses.instantiate(spec, parameters));
          assertTrue(
              thrown.getMessage().startsWith(spec.id() + ": expected " + parameter.name() + " "),
              thrown.getMessage());
        });
  }

  /** What a record takes, its operator takes too. */
  @TestFactory
  Stream<DynamicTest> infiniteParameters() {
    return numbers(
        BadInputTest::takes,
        loss -> loss.valueAndGradient(samples(loss)),
        Double.NEGATIVE_INFINITY,
        Double.POSITIVE_INFINITY);
  }

  private static boolean takes(Spec spec, Spec.Parameter parameter, double value) {
    try {
      Losses.create(spec.id(), Map.of(parameter.name(), value));
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** Far beyond what float32 holds: computed, or refused by a message that names the loss. */
  @TestFactory
  Stream<DynamicTest> parametersBeyondFloat32() {
    return numbers(
        (spec, parameter, value) -> value > parameter.min() && value < parameter.max(),
        loss -> {
          try {
            final Tensor[] inputs = samples(loss);
            loss.valueAndGradient(inputs);
            final Tensor first = inputs[0].requires_grad_(true);
            torch.grad(
                new TensorVector(loss.apply(inputs)),
                new TensorVector(first),
                new TensorVector(),
                new BoolOptional(true),
                true,
                true);
          } catch (RuntimeException e) {
            assertTrue(e.getMessage().contains(loss.spec().id()), e::getMessage);
          }
        },
        1e300,
        1e-300);
  }

  private interface Allowed {
    boolean test(Spec spec, Spec.Parameter parameter, double value);
  }

  /** A test of each loss with each of these values that its number parameters may have. */
  private static Stream<DynamicTest> numbers(
      Allowed allowed, Consumer<Loss> test, double... values) {
    return Samples.losses()
        .flatMap(
            spec ->
                spec.parameters().stream()
                    .filter(p -> p.type() == double.class)
                    .flatMap(
                        p ->
                            Arrays.stream(values)
                                .filter(v -> allowed.test(spec, p, v))
                                .mapToObj(v -> number(spec, p, v, test))));
  }

  private static DynamicTest number(
      Spec spec, Spec.Parameter parameter, double value, Consumer<Loss> test) {
    return dynamicTest(
        spec.id() + ": " + parameter.name() + " " + value,
        () -> {
          try (PointerScope scope = new PointerScope()) {
            test.accept(Losses.create(spec.id(), Map.of(parameter.name(), value)));
          }
        });
  }

  private static Tensor[] samples(Loss loss) {
    return Samples.inputs(loss.spec(), Samples.Sizes.SMALL, ScalarType.Float, false, 29);
  }

  private static Tensor meta(Tensor tensor) {
    return torch.empty(
        tensor.shape(),
        new TensorOptions(tensor.scalar_type()).device(new DeviceOptional(new Device("meta"))),
        null);
  }

  private static TensorVector pair(Tensor a, Tensor b) {
    return new TensorVector(a, b);
  }

  private static Scalar scalar(long value) {
    return new Scalar(value);
  }
}
