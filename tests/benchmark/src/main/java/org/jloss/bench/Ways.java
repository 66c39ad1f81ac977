package org.jloss.bench;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.NativeMemory;
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
  private final Loss loss;
  private final Tensor[] inputs;

  Ways(Workload workload) {
    this.workload = workload;
    loss = Losses.create(workload.id(), workload.parameters());
    inputs = workload.inputs().stream().map(d -> d.tensor(workload.key())).toArray(Tensor[]::new);
  }

  /** Runs one way; the result is a number of the value, for a black hole. */
  void run(int way) {
    switch (way) {
      case FUSED -> {
        try (ValueAndGradient result = loss.valueAndGradient(inputs)) {
          return;
        }
      }
      case AUTOGRAD -> {
        try (Tensor value = loss.apply(inputs)) {
          value.backward();
        }
        clearGradients();
      }
      default -> {
        try (PointerScope scope = new PointerScope()) {
          workload.composed().apply(inputs).backward();
        }
        clearGradients();
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

  /** The bytes of the inputs that get a gradient: what the gradients alone take. */
  long gradientBytes() {
    long bytes = 0;
    for (final Tensor input : inputs) {
      bytes += input.requires_grad() ? input.nbytes() : 0;
    }
    return bytes;
  }

  /** The value by a way, for a check that all compute the same. */
  double value(int way) {
    try (PointerScope scope = new PointerScope()) {
      final Tensor value =
          switch (way) {
            case FUSED -> loss.valueAndGradient(inputs).value();
            case AUTOGRAD -> loss.apply(inputs);
            default -> workload.composed().apply(inputs);
          };
      return org.jloss.Tensors.item(value);
    }
  }

  @Override
  public void close() {
    for (final Tensor input : inputs) {
      input.close();
    }
  }
}
