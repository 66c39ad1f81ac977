package org.jloss.parity;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Miner;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.selfsupervised.NegativeQueue;
import org.jspecify.annotations.Nullable;

/** Computes reference cases with this library, through the public Java API. */
public final class LossEvaluator implements Evaluator {
  /** Makes an evaluator; it holds no state. */
  public LossEvaluator() {}

  @Override
  public Map<String, TensorEntry> evaluate(ReferenceCase reference) {
    final Spec spec = Losses.spec(reference.id());
    try (PointerScope scope = new PointerScope()) {
      if (spec.type() == NegativeQueue.class) {
        return enqueue(reference);
      }
      final Object system = Losses.instantiate(spec, reference.parameters());
      final Tensor[] inputs = inputs(spec, reference);
      return system instanceof Miner miner
          ? mine(miner, inputs)
          : loss((Loss) system, inputs, reference);
    }
  }

  /** What the mean divides by, from the sum and the mean of the case in float64. */
  @Override
  public double normaliser(ReferenceCase reference) {
    final Spec spec = Losses.spec(reference.id());
    if (!spec.reductions().contains(Reduction.SUM) || reference.gradients().isEmpty()) {
      return 1;
    }
    try (PointerScope scope = new PointerScope()) {
      final Object loss = Losses.instantiate(spec, reference.parameters());
      final Reduction reduction =
          (Reduction) Losses.value(loss, spec.parameter("reduction").orElseThrow());
      if (reduction == Reduction.NONE || reduction == Reduction.SUM) {
        return 1;
      }
      final Map<String, Object> summed = new LinkedHashMap<>(reference.parameters());
      summed.put("reduction", "sum");
      final Tensor[] inputs = inputs(spec, reference);
      final double mean = ((Loss) loss).apply(inputs).item().toDouble();
      final double sum = Losses.create(spec.id(), summed).apply(inputs).item().toDouble();
      final double count = Math.abs(sum / mean);
      return Double.isFinite(count) ? count : 1;
    }
  }

  private static @Nullable Tensor[] inputs(Spec spec, ReferenceCase reference) {
    final Tensor[] inputs = new Tensor[spec.inputs().size()];
    for (final String name : reference.inputs().keySet()) {
      final int i = spec.indexOf(name);
      if (i < 0) {
        throw new IllegalArgumentException(
            spec.id() + ": the case gives " + name + ", which is no input of it");
      }
      inputs[i] = reference.inputTensor(name);
      if (reference.gradients().containsKey(name)) {
        inputs[i].requires_grad_(true);
      }
    }
    return inputs;
  }

  private static Map<String, TensorEntry> loss(
      Loss loss, @Nullable Tensor[] inputs, ReferenceCase reference) {
    final Map<String, TensorEntry> results = new LinkedHashMap<>();
    final Tensor value = loss.apply(inputs);
    results.put(ReferenceCase.VALUE, TensorEntry.of(value));
    if (reference.gradients().isEmpty()) {
      return results;
    }
    final List<String> names = new ArrayList<>(reference.gradients().keySet());
    final Tensor[] variables =
        names.stream().map(n -> inputs[loss.spec().indexOf(n)]).toArray(Tensor[]::new);
    final TensorEntry upstream = reference.upstream();
    final boolean twice = !reference.secondGradients().isEmpty();
    final TensorVector gradients =
        gradients(value, variables, upstream == null ? null : upstream.toTensor(), twice);
    put(results, ReferenceCase.GRADIENT, names, variables, gradients);
    if (twice) {
      Tensor sum = null;
      for (int i = 0; i < names.size(); i++) {
        final TensorEntry direction = reference.directions().get(names.get(i));
        if (direction != null && gradients.get(i).defined()) {
          final Tensor term = gradients.get(i).mul(direction.toTensor()).sum();
          sum = sum == null ? term : sum.add(term);
        }
      }
      if (sum == null) {
        throw new IllegalStateException("no gradient to differentiate again");
      }
      put(
          results,
          ReferenceCase.SECOND_GRADIENT,
          names,
          variables,
          gradients(sum, variables, null, false));
    }
    return results;
  }

  private static TensorVector gradients(
      Tensor value, Tensor[] variables, @Nullable Tensor upstream, boolean createGraph) {
    return torch.grad(
        new TensorVector(value),
        new TensorVector(variables),
        new TensorVector(upstream == null ? torch.ones_like(value) : upstream),
        new BoolOptional(createGraph),
        createGraph,
        true);
  }

  private static void put(
      Map<String, TensorEntry> results,
      String kind,
      List<String> names,
      Tensor[] variables,
      TensorVector gradients) {
    for (int i = 0; i < names.size(); i++) {
      final Tensor gradient = gradients.get(i);
      results.put(
          kind + names.get(i),
          TensorEntry.of(
              gradient.defined() ? gradient.detach() : torch.zeros_like(variables[i]).detach()));
    }
  }

  private static Map<String, TensorEntry> mine(Miner miner, @Nullable Tensor[] inputs) {
    final Map<String, TensorEntry> results = new LinkedHashMap<>();
    miner
        .mine(inputs)
        .tensors()
        .forEach(
            (name, tensor) -> results.put(ReferenceCase.OUTPUT + name, TensorEntry.of(tensor)));
    return results;
  }

  private static Map<String, TensorEntry> enqueue(ReferenceCase reference) {
    final long position = (long) Tensors.item(reference.inputTensor("ptr"));
    try (NegativeQueue queue = NegativeQueue.of(reference.inputTensor("queue"), position)) {
      queue.enqueue(reference.inputTensor("keys"));
      return Map.of(
          ReferenceCase.OUTPUT + "queue",
          TensorEntry.of(queue.keys()),
          ReferenceCase.OUTPUT + "ptr",
          TensorEntry.of(new long[] {queue.position()}, new long[0]));
    }
  }
}
