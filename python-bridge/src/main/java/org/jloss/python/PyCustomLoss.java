package org.jloss.python;

import org.bytedeco.pytorch.Tensor;
import org.jloss.CustomLoss;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** A loss whose value and gradients a script wrote. */
final class PyCustomLoss implements CustomLoss {
  private final Spec spec;
  private final PyFunction forward;
  private final PyFunction backward;

  PyCustomLoss(Spec spec, PyFunction forward, PyFunction backward) {
    this.spec = spec;
    this.forward = forward;
    this.backward = backward;
  }

  @Override
  public Spec spec() {
    return spec;
  }

  @Override
  public Tensor forward(@Nullable Tensor[] inputs) {
    return forward.call(inputs)[0];
  }

  @Override
  public @Nullable Tensor[] backward(@Nullable Tensor[] inputs, Tensor upstream) {
    final Tensor[] all = new Tensor[inputs.length + 1];
    all[0] = upstream;
    System.arraycopy(inputs, 0, all, 1, inputs.length);
    return backward.call(all);
  }

  @Override
  public String toString() {
    return spec.id();
  }
}
