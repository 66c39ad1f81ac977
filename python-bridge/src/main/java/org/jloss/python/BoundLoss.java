package org.jloss.python;

import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Loss;
import org.jloss.Spec;
import org.jloss.ValueAndGradient;
import org.jspecify.annotations.Nullable;

/**
 * A loss with some of its tensors, as torch.nn's classes take them at their construction. It lives
 * as long as the interpreter that owns the tensors.
 *
 * @param held for each input a tensor that fills in where none is given, or null
 */
record BoundLoss(Loss loss, List<@Nullable PyTensor> held) implements Loss {
  BoundLoss(Loss loss, @Nullable PyTensor[] held) {
    this(loss, Arrays.asList(held));
  }

  @Override
  public Spec spec() {
    return loss.spec();
  }

  @Override
  public Tensor compute(@Nullable Tensor[] inputs, @Nullable TensorVector gradients) {
    final Tensor[] all = inputs.clone();
    for (int i = 0; i < all.length; i++) {
      final PyTensor tensor = held.get(i);
      if (all[i] == null && tensor != null) {
        all[i] = tensor.tensor();
      }
    }
    if (gradients == null) {
      return loss.apply(all);
    }
    final Tensor value = new Tensor();
    try (ValueAndGradient result = loss.valueAndGradient(all)) {
      gradients.resize(all.length);
      for (int i = 0; i < all.length; i++) {
        final Tensor gradient = result.gradient(i);
        if (gradient != null) {
          gradients.put(i, gradient);
        }
      }
      return value.put(result.value());
    }
  }

  @Override
  public String toString() {
    return loss.toString();
  }
}
