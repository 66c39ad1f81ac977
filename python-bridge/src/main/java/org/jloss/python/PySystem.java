package org.jloss.python;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.Value;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** What losses, miners and memories have in common as scripts hold them. */
final class PySystem {
  private PySystem() {}

  /** The tensors of a call, in order; None as null. */
  static @Nullable Tensor[] tensors(TensorPool pool, Spec spec, Value inputs) {
    pool.load();
    final List<?> given = Args.list(inputs);
    final Tensor[] tensors = new Tensor[given.size()];
    for (int i = 0; i < tensors.length; i++) {
      final Object input = given.get(i);
      if (input instanceof PyTensor tensor) {
        tensors[i] = tensor.tensor();
      } else if (input != null) {
        throw new PyError(
            "TypeError",
            spec.id()
                + ": expected "
                + spec.inputs().get(i).name()
                + " to be a Tensor, got "
                + Args.typeName(input));
      }
    }
    return tensors;
  }
}
