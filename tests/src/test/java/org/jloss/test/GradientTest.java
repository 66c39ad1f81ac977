package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.parity.DType;
import org.jloss.parity.ReferenceCase;
import org.jloss.parity.ReferenceFile;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Gradients against differences of values, and the ways to a gradient against each other. */
class GradientTest {
  // As torch.autograd.gradcheck has them.
  private static final double STEP = 1e-6;
  private static final double ATOL = 1e-5;
  private static final double RTOL = 1e-3;

  /** Where differences of values say nothing about a derivative. */
  private static final Set<String> UNEVEN =
      Set.of("extreme", "nonfinite", "kink", "tie", "empty", "ignored");

  private static final int CASES = 10;

  /** Beyond it a step is lost in the digits of the value. */
  private static final double LARGEST = 1e3;

  @TestFactory
  Stream<DynamicTest> gradcheck() {
    return smoothCases()
        .map(
            c ->
                dynamicTest(
                    c.id() + " " + c.key(),
                    () -> {
                      try (PointerScope scope = new PointerScope()) {
                        final Loss loss = Losses.create(c.id(), c.parameters());
                        final Tensor[] inputs = inputs(c);
                        final List<Integer> wanted = differentiable(loss, c);
                        check(
                            c.toString(),
                            wanted.stream().map(i -> inputs[i]).toArray(Tensor[]::new),
                            x -> loss.apply(inputs),
                            false);
                      }
                    }));
  }

  @TestFactory
  Stream<DynamicTest> gradgradcheck() {
    return smoothCases()
        .filter(c -> Losses.spec(c.id()).twiceDifferentiable())
        .map(
            c ->
                dynamicTest(
                    c.id() + " " + c.key(),
                    () -> {
                      try (PointerScope scope = new PointerScope()) {
                        final Loss loss = Losses.create(c.id(), c.parameters());
                        final Tensor[] inputs = inputs(c);
                        final Tensor[] variables =
                            differentiable(loss, c).stream()
                                .map(i -> inputs[i])
                                .toArray(Tensor[]::new);
                        check(
                            c.toString(),
                            variables,
                            x -> slope(loss.apply(inputs), variables),
                            true);
                      }
                    }));
  }

  /** A path through two inputs is counted once each: loss(x, f(x)), to the second derivative. */
  @TestFactory
  Stream<DynamicTest> inputsThatDependOnEachOther() {
    return Samples.losses()
        .filter(s -> s.twiceDifferentiable() && sameShape(s).size() > 1)
        .map(
            spec ->
                dynamicTest(
                    spec.id(),
                    () -> {
                      try (PointerScope scope = new PointerScope()) {
                        final Loss loss = Losses.create(spec.id());
                        final Tensor[] inputs =
                            Samples.inputs(spec, Samples.Sizes.SMALL, ScalarType.Double, false, 3);
                        final List<Integer> twins = sameShape(spec);
                        final Tensor x = inputs[twins.get(0)].requires_grad_(true);
                        final Function<Tensor[], Tensor> composed =
                            v -> {
                              final Tensor[] in = inputs.clone();
                              for (int k = 1; k < twins.size(); k++) {
                                in[twins.get(k)] = x.mul(x).sigmoid();
                              }
                              return loss.apply(in);
                            };
                        final Tensor[] variables = {x};
                        check(spec.id(), variables, composed, false);
                        check(spec.id(), variables, v -> slope(composed.apply(v), variables), true);
                      }
                    }));
  }

  /** valueAndGradient, and apply with backward, agree; retained graphs and hooks do no harm. */
  @TestFactory
  Stream<DynamicTest> bothFormsAgree() {
    return Samples.losses()
        .flatMap(
            spec ->
                Stream.of(false, true)
                    .map(
                        optional ->
                            dynamicTest(
                                spec.id() + (optional ? " with all inputs" : ""),
                                () -> bothForms(spec, optional))));
  }

  private static void bothForms(Spec spec, boolean optional) {
    try (PointerScope scope = new PointerScope()) {
      final Loss loss = Losses.create(spec.id());
      final Tensor[] inputs =
          Samples.inputs(spec, Samples.Sizes.SMALL, ScalarType.Float, optional, 5);
      final List<Integer> wanted = new ArrayList<>();
      for (int i = 0; i < inputs.length; i++) {
        if (spec.inputs().get(i).differentiable()
            && inputs[i] != null
            && inputs[i].is_floating_point()) {
          inputs[i].requires_grad_(true);
          wanted.add(i);
        }
      }
      final Tensor value = loss.apply(inputs);
      value.backward(new Tensor(), new BoolOptional(true), false, null);
      final List<float[]> first =
          wanted.stream().map(i -> Tensors.toFloats(inputs[i].grad())).toList();
      // Whoever holds the gradient may write into it before the graph is used again.
      wanted.forEach(i -> inputs[i].mutable_grad().zero_());
      value.backward();
      for (int k = 0; k < wanted.size(); k++) {
        assertArrayEquals(
            first.get(k), Tensors.toFloats(inputs[wanted.get(k)].grad()), Float.MIN_VALUE);
      }
      final ValueAndGradient direct = loss.valueAndGradient(inputs);
      assertEquals(Tensors.item(value), direct.item());
      for (int k = 0; k < wanted.size(); k++) {
        assertArrayEquals(
            first.get(k), Tensors.toFloats(direct.gradient(wanted.get(k))), spec.id());
      }
    }
  }

  private static Stream<ReferenceCase> smoothCases() {
    return Samples.losses()
        .flatMap(
            spec -> {
              final List<ReferenceCase> cases =
                  read(spec.id()).cases().stream()
                      .filter(c -> c.dtype() == DType.F64 && !c.gradients().isEmpty())
                      .filter(c -> c.tags().stream().noneMatch(UNEVEN::contains))
                      .filter(
                          c ->
                              c.inputs().values().stream()
                                  .flatMapToDouble(x -> Arrays.stream(x.toDoubles()))
                                  .allMatch(x -> Math.abs(x) < LARGEST))
                      .filter(
                          c ->
                              c.gradients().values().stream().mapToLong(g -> g.numel()).sum()
                                  <= 150)
                      .toList();
              final int step = Math.max(1, cases.size() / CASES);
              return IntStream.range(0, cases.size())
                  .filter(i -> i % step == 0)
                  .mapToObj(cases::get);
            });
  }

  private static ReferenceFile read(String id) {
    try {
      return ReferenceFile.read(
          Path.of(System.getProperty("jloss.reference"), id + ".safetensors"));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Tensor[] inputs(ReferenceCase c) {
    final Spec spec = Losses.spec(c.id());
    final Tensor[] inputs = new Tensor[spec.inputs().size()];
    for (final String name : c.inputs().keySet()) {
      // Contiguous, so that the check may write into it.
      inputs[spec.indexOf(name)] = c.inputs().get(name).toTensor();
    }
    return inputs;
  }

  private static List<Integer> differentiable(Loss loss, ReferenceCase c) {
    final Map<String, ?> gradients = new HashMap<>(c.gradients());
    if (c.parameters().containsKey("ignore_index") || c.parameters().containsKey("absent")) {
      // Next to the ignored value a target is not ignored, next to 0 a class is not absent.
      gradients.remove("target");
    }
    return IntStream.range(0, loss.spec().inputs().size())
        .filter(i -> gradients.containsKey(loss.spec().inputs().get(i).name()))
        .boxed()
        .toList();
  }

  /** The first differentiable input and those of its shape. */
  private static List<Integer> sameShape(Spec spec) {
    final List<Integer> found = new ArrayList<>();
    for (int i = 0; i < spec.inputs().size(); i++) {
      final Spec.InputSpec input = spec.inputs().get(i);
      if (input.differentiable()
          && !input.optional()
          && input.shape().equals(spec.inputs().get(0).shape())) {
        found.add(i);
      }
    }
    return found;
  }

  /** A number that depends on all gradients of a value: what gradgradcheck differentiates. */
  private static Tensor slope(Tensor value, Tensor[] variables) {
    final TensorVector gradients = gradients(weigh(value), variables, true);
    Tensor sum = null;
    for (int i = 0; i < variables.length; i++) {
      if (gradients.get(i).defined()) {
        final Tensor term = weigh(gradients.get(i));
        sum = sum == null ? term : sum.add(term);
      }
    }
    return sum;
  }

  /** A sum in which each element has a factor of its own. */
  private static Tensor weigh(Tensor value) {
    final double[] factors = new double[(int) value.numel()];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = 0.5 + (i * 7 % 11) / 10.0;
    }
    return value.mul(Tensors.of(factors, new long[] {factors.length}).reshape(value.shape())).sum();
  }

  private static TensorVector gradients(Tensor value, Tensor[] variables, boolean createGraph) {
    return torch.grad(
        new TensorVector(value),
        new TensorVector(variables),
        new TensorVector(torch.ones_like(value)),
        new BoolOptional(createGraph),
        createGraph,
        true);
  }

  private static void check(
      String what, Tensor[] variables, Function<Tensor[], Tensor> function, boolean second) {
    for (final Tensor variable : variables) {
      variable.requires_grad_(true);
    }
    final Tensor value = function.apply(variables);
    if (second && (value == null || !value.requires_grad())) {
      return; // a gradient that does not depend on the inputs
    }
    final TensorVector analytic = gradients(weigh(value), variables, false);
    for (int i = 0; i < variables.length; i++) {
      final double[] expected =
          analytic.get(i).defined()
              ? Tensors.toDoubles(analytic.get(i))
              : new double[(int) variables[i].numel()];
      final DoublePointer data = new DoublePointer(variables[i].data_ptr());
      for (int k = 0; k < expected.length; k++) {
        try (PointerScope scope = new PointerScope()) {
          final double x = data.get(k);
          data.put(k, x + STEP);
          final double above = Tensors.item(weigh(function.apply(variables)));
          data.put(k, x - STEP);
          final double below = Tensors.item(weigh(function.apply(variables)));
          data.put(k, x);
          final double numeric = (above - below) / (2 * STEP);
          final int input = i;
          final int element = k;
          assertTrue(
              Math.abs(numeric - expected[k]) <= ATOL + RTOL * Math.abs(numeric),
              () ->
                  what
                      + ": "
                      + (second ? "second " : "")
                      + "derivative "
                      + element
                      + " of input "
                      + input
                      + ": numeric "
                      + numeric
                      + ", analytic "
                      + expected[element]);
        }
      }
    }
  }
}
