package org.jloss.python;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Loss;
import org.jloss.ValueAndGradient;
import org.jloss.WeightedSum;
import org.jspecify.annotations.Nullable;

/** A loss as scripts hold it. */
public final class PyLoss extends PySystem {
  private final Loss loss;

  PyLoss(TensorPool pool, Loss loss) {
    super(pool, loss, loss.spec());
    this.loss = loss;
  }

  Loss loss() {
    return loss;
  }

  /**
   * The value, with a graph where an input requires a gradient; inputs in order, None if absent.
   */
  @HostAccess.Export
  public PyTensor apply(@Nullable PyTensor... inputs) {
    return Guard.run(
        () -> {
          final Tensor[] tensors = tensors(inputs);
          return pool.own(pool.allocate(() -> loss.apply(tensors)));
        });
  }

  /** The value, then a gradient or null for each input. */
  @HostAccess.Export
  public Object[] valueAndGradient(@Nullable PyTensor... inputs) {
    return Guard.run(
        () -> {
          final Tensor[] tensors = tensors(inputs);
          try (ValueAndGradient result = pool.allocate(() -> loss.valueAndGradient(tensors))) {
            final int count = spec.inputs().size();
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

  /** This loss with tensors that fill in for those that a call leaves out: null where none does. */
  @HostAccess.Export
  public PyLoss bind(@Nullable PyTensor... held) {
    return Guard.run(() -> new PyLoss(pool, new BoundLoss(loss, held)));
  }

  /** A sum's terms: factor, loss, and the old and the new name of each renamed tensor. */
  @HostAccess.Export
  public Object[] terms() {
    return Guard.run(
        () -> {
          final List<Object> all = new ArrayList<>();
          for (final WeightedSum.Term term : ((WeightedSum) loss).terms()) {
            all.add(term.factor());
            all.add(new PyLoss(pool, term.loss()));
            final List<String> names = new ArrayList<>();
            for (final Map.Entry<String, String> name : term.names().entrySet()) {
              names.add(name.getKey());
              names.add(name.getValue());
            }
            all.add(names.toArray(new String[0]));
          }
          return all.toArray();
        });
  }
}
