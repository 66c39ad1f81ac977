package org.jloss;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/** The one way from a loss object to its native method and back. */
final class Calls {
  private Calls() {}

  static Tensor apply(Loss loss, @Nullable Tensor[] inputs) {
    final Tensor[] all = check(loss, loss.spec(), inputs);
    try {
      return loss.compute(all, null);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  static ValueAndGradient valueAndGradient(Loss loss, @Nullable Tensor[] inputs) {
    final Tensor[] all = check(loss, loss.spec(), inputs);
    final TensorVector gradients = new TensorVector();
    try {
      return new ValueAndGradient(loss.spec(), loss.compute(all, gradients), gradients);
    } catch (RuntimeException e) {
      gradients.close();
      throw Errors.translate(e);
    }
  }

  static ArrayGradients valueAndGradient(Loss loss, @Nullable NdArray[] inputs) {
    try (PointerScope scope = new PointerScope()) {
      final Tensor[] tensors = new Tensor[inputs.length];
      for (int i = 0; i < inputs.length; i++) {
        final NdArray array = inputs[i];
        tensors[i] = array == null ? null : array.toTensor();
      }
      final ValueAndGradient result = valueAndGradient(loss, tensors);
      final List<@Nullable NdArray> gradients = new ArrayList<>();
      for (int i = 0; i < loss.spec().inputs().size(); i++) {
        final Tensor gradient = result.gradient(i);
        gradients.add(gradient == null ? null : NdArray.of(gradient));
      }
      return new ArrayGradients(loss.spec(), NdArray.of(result.value()), gradients);
    }
  }

  static Indices mine(Miner miner, @Nullable Tensor[] inputs) {
    final Tensor[] all = check(miner, miner.spec(), inputs);
    try {
      return new Indices(miner.compute(all));
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  static void enqueue(Memory memory, Tensor keys) {
    NativeLibrary.load();
    check(memory.spec(), "keys", keys);
    try {
      memory.compute(keys);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
  }

  private static Tensor check(Spec spec, String name, @Nullable Tensor tensor) {
    if (tensor == null) {
      throw new IllegalArgumentException(
          spec.id() + ": expected " + name + " to be a tensor, got null");
    }
    if (tensor.isNull()) {
      throw new IllegalStateException(
          spec.id() + ": expected " + name + " to be open, got a closed tensor");
    }
    return tensor;
  }

  /** The inputs, completed: nulls for those left out, class weights that the record holds. */
  private static @Nullable Tensor[] check(Object system, Spec spec, @Nullable Tensor[] inputs) {
    NativeLibrary.load();
    final List<Spec.InputSpec> specs = spec.inputs();
    if (inputs == null) {
      throw new IllegalArgumentException(
          spec.id() + ": expected " + signature(specs) + ", got null");
    }
    if (inputs.length > specs.size() || inputs.length < spec.requiredInputs()) {
      throw new IllegalArgumentException(
          spec.id() + ": expected " + signature(specs) + ", got " + inputs.length + " tensors");
    }
    final Tensor[] all = new Tensor[specs.size()];
    for (int i = 0; i < all.length; i++) {
      final Spec.InputSpec input = specs.get(i);
      final Tensor tensor = i < inputs.length ? inputs[i] : null;
      if (tensor != null || !input.optional()) {
        all[i] = check(spec, input.name(), tensor);
      } else if (all[0] != null && system instanceof Record record) {
        all[i] = held(record, spec, input, all[0]);
      }
    }
    return all;
  }

  private static @Nullable Tensor held(
      Record record, Spec spec, Spec.InputSpec input, Tensor like) {
    if (!like.defined()) {
      return null; // which the loss refuses
    }
    return spec.parameter(input.name())
        .filter(p -> p.type() == ClassWeights.class)
        .map(p -> (ClassWeights) Parameters.get(record, p.component()))
        .map(weights -> weights.tensor(like.scalar_type().intern()))
        .orElse(null);
  }

  private static String signature(List<Spec.InputSpec> specs) {
    final StringBuilder text = new StringBuilder();
    for (final Spec.InputSpec input : specs) {
      text.append(text.isEmpty() ? "" : ", ").append(input.name());
      if (input.optional()) {
        text.append(" (or none)");
      }
    }
    return text.toString();
  }
}
