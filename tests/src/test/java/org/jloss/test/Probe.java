package org.jloss.test;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jloss.Autograd;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.NativeLibrary;
import org.jloss.Spec;
import org.jloss.Tensors;

/** What child processes of {@link LibraryTest} run: each loss once, with its gradient. */
public final class Probe {
  private Probe() {}

  /** Prints the capability and one line a loss. */
  public static void main(String[] args) {
    if (Boolean.getBoolean("jloss.probe.backward")) {
      try (PointerScope scope = new PointerScope()) {
        Autograd.backward(torch.ones(3).requires_grad_(true).sum());
      }
    }
    System.out.println(
        NativeLibrary.cpuCapability() + " named=" + Loss.class.getModule().isNamed());
    for (final Spec spec : Samples.losses().toList()) {
      try (PointerScope scope = new PointerScope()) {
        final Tensor[] inputs =
            Samples.inputs(spec, Samples.Sizes.of(40, 7, 9), ScalarType.Float, true, 29);
        inputs[0].requires_grad_(true);
        final Tensor value = Losses.create(spec.id()).apply(inputs);
        value.backward();
        double sum = 0;
        for (final float g : Tensors.toFloats(inputs[0].grad())) {
          sum += Math.abs(g);
        }
        System.out.println(spec.id() + " " + Tensors.item(value) + " " + sum);
      }
    }
  }
}
