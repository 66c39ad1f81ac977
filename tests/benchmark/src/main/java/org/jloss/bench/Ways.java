package org.jloss.bench;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Indices;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Miner;
import org.jloss.NativeMemory;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;

/**
 * The ways to one value and its gradients, on the same tensors. Each closes all that it makes, so
 * that no collector is measured.
 */
final class Ways implements AutoCloseable {
  static final int FUSED = 0;
  static final int AUTOGRAD = 1;
  static final int COMPOSED = 2;
  static final List<String> NAMES = List.of("fused", "autograd", "composed");

  private final Workload workload;
  private final Object system;
  private final Tensor[] inputs;

  Ways(Workload workload) {
    this.workload = workload;
    system = Losses.instantiate(Losses.spec(workload.id()), workload.parameters());
    inputs = workload.inputs().stream().map(d -> d.tensor(workload.key())).toArray(Tensor[]::new);
  }

  /** Runs one way. A miner has no gradient, so its first two ways are one. */
  void run(int way) {
    if (way == COMPOSED) {
      try (PointerScope scope = new PointerScope()) {
        final Tensor value = workload.composed().apply(inputs);
        if (value.requires_grad()) {
          value.backward();
        }
      }
      clearGradients();
    } else if (system instanceof Miner miner) {
      try (Indices indices = miner.mine(inputs)) {
        return;
      }
    } else if (way == AUTOGRAD) {
      try (Tensor value = ((Loss) system).apply(inputs)) {
        value.backward();
      }
      clearGradients();
    } else {
      try (ValueAndGradient result = ((Loss) system).valueAndGradient(inputs)) {
        return;
      }
    }
  }

  private void clearGradients() {
    for (final Tensor input : inputs) {
      if (input.requires_grad()) {
        input.mutable_grad().reset();
      }
    }
  }

  /** The most bytes of tensors that a way has at once, beyond its inputs. */
  long peakBytes(int way) {
    return NativeMemory.peakDuring(() -> run(way));
  }

  /** The bytes of the inputs that get a gradient, or where none does of the first input. */
  long gradientBytes() {
    long bytes = 0;
    for (final Tensor input : inputs) {
      bytes += input.requires_grad() ? input.nbytes() : 0;
    }
    return bytes > 0 ? bytes : inputs[0].nbytes();
  }

  /** What a way computes, for a check that all compute the same: the value, or the last indices. */
  double[] value(int way) {
    try (PointerScope scope = new PointerScope()) {
      final Tensor value;
      if (way == COMPOSED) {
        value = workload.composed().apply(inputs);
      } else if (system instanceof Miner miner) {
        final Indices indices = miner.mine(inputs);
        value = indices.get(indices.size() - 1);
      } else {
        final Loss loss = (Loss) system;
        value = way == FUSED ? loss.valueAndGradient(inputs).value() : loss.apply(inputs);
      }
      return Tensors.toDoubles(value);
    }
  }

  @Override
  public void close() {
    for (final Tensor input : inputs) {
      input.close();
    }
  }
}
