package org.jloss.python;

import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/**
 * A loss, miner or memory as scripts hold it. The Python package wraps it in a class of its own.
 */
public abstract class PySystem {
  final TensorPool pool;
  final Object system;
  final Spec spec;

  PySystem(TensorPool pool, Object system, Spec spec) {
    this.pool = pool;
    this.system = Objects.requireNonNull(system);
    this.spec = spec;
  }

  /** What it is, with the values of its parameters, in JSON. */
  @HostAccess.Export
  public String describe() {
    return Guard.run(
        () -> {
          final Object own = system instanceof BoundLoss bound ? bound.loss() : system;
          return LossSpecs.json(spec, own instanceof Record record ? record : null);
        });
  }

  /** Whether another has the same class and parameters. */
  @HostAccess.Export
  public boolean same(Object other) {
    return other instanceof PySystem py && py.system.equals(system);
  }

  /** Equal for those that are the same. */
  @HostAccess.Export
  public int hash() {
    return system.hashCode();
  }

  /** The tensors of a call, in order; null for None. */
  final @Nullable Tensor[] tensors(@Nullable PyTensor[] inputs) {
    pool.load();
    final Tensor[] tensors = new Tensor[inputs.length];
    for (int i = 0; i < tensors.length; i++) {
      tensors[i] = inputs[i] == null ? null : inputs[i].tensor();
    }
    return tensors;
  }
}
