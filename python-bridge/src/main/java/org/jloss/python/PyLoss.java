package org.jloss.python;

import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Loss;
import org.jloss.ValueAndGradient;

/** A loss as scripts hold it. The Python package wraps it in a class of the loss's own. */
public final class PyLoss {
  private final TensorPool pool;
  private final Loss loss;

  PyLoss(TensorPool pool, Loss loss) {
    this.pool = pool;
    this.loss = loss;
  }

  Loss loss() {
    return loss;
  }

  /**
   * The value, with a graph where an input requires a gradient; inputs in order, None if absent.
   */
  @HostAccess.Export
  public PyTensor apply(Value inputs) {
    return Guard.run(
        () -> {
          final Tensor[] tensors = PySystem.tensors(pool, loss.spec(), inputs);
          return pool.own(pool.allocate(() -> loss.apply(tensors)));
        });
  }

  /** The value, then a gradient or null for each input. */
  @HostAccess.Export
  public Object[] valueAndGradient(Value inputs) {
    return Guard.run(
        () -> {
          final Tensor[] tensors = PySystem.tensors(pool, loss.spec(), inputs);
          try (ValueAndGradient result = pool.allocate(() -> loss.valueAndGradient(tensors))) {
            final int count = loss.spec().inputs().size();
            final Object[] all = new Object[count + 1];
            all[0] = pool.share(result.value());
            for (int i = 0; i < count; i++) {
              final Tensor gradient = result.gradient(i);
              all[i + 1] = gradient == null ? null : pool.share(gradient);
            }
            return all;
          }
        });
  }

  /** Whether another has the same class and parameters. */
  @HostAccess.Export
  public boolean same(Object other) {
    return other instanceof PyLoss py && py.loss.equals(loss);
  }

  /** Equal for those that are the same. */
  @HostAccess.Export
  public int hash() {
    return loss.hashCode();
  }
}
