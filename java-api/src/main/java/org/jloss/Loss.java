package org.jloss;

import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * A loss: from tensors to a value, with a gradient.
 *
 * <p>Losses are immutable and may be shared by threads. Tensors are the preset's own; a result is
 * the caller's to close, by itself, by try-with-resources or by a {@code PointerScope}. No call
 * changes or closes its inputs.
 *
 * <p>Each loss has typed {@code apply} methods of its own; the methods here take the tensors in the
 * order of {@link Spec#inputs()}, where those left out are null or, at the end, not there.
 *
 * <p>All calls throw
 *
 * <ul>
 *   <li>{@link IllegalArgumentException}: a shape, value or count that the loss does not take
 *   <li>{@link IndexOutOfBoundsException}: a class index out of range
 *   <li>{@link UnsupportedOperationException}: a dtype, layout or derivative that is not there
 *   <li>{@link IllegalStateException}: a tensor that was closed
 *   <li>{@link OutOfMemoryError}: libtorch could not allocate
 * </ul>
 *
 * with a message that names the loss, the argument, what was expected and what came.
 */
public interface Loss {

  /**
   * Computes the loss: the one method that a loss implements. Called with all inputs of the
   * specification in order, absent ones null, none closed.
   *
   * @param inputs the tensors
   * @param gradients null: record an autograd graph where an input requires a gradient. Otherwise:
   *     record none, and fill it with one gradient an input, undefined where not wanted (see {@link
   *     #valueAndGradient(Tensor...)})
   */
  Tensor compute(@Nullable Tensor[] inputs, @Nullable TensorVector gradients);

  /** What this loss is. */
  default Spec spec() {
    return Spec.of(getClass());
  }

  /**
   * The value, with an autograd graph where an input requires a gradient.
   *
   * <p>Where the value is one number its gradients are made here: an input that is changed in place
   * before the backward pass is not noticed, and does not change them.
   *
   * @param inputs the tensors in the order of the specification
   * @return a tensor of one number, or for reduction none of one a term; the caller closes it
   */
  default Tensor apply(@Nullable Tensor... inputs) {
    return Calls.apply(this, inputs);
  }

  /**
   * The value and its gradients in one pass, without an autograd graph: for those who drive their
   * own optimiser.
   *
   * <p>The gradients are those of the inputs that require one; where none does, of the predictions
   * or embeddings, not of the targets. For reduction none they are those of the sum of the value.
   */
  default ValueAndGradient valueAndGradient(@Nullable Tensor... inputs) {
    return Calls.valueAndGradient(this, inputs);
  }

  /** The same on arrays; nothing native is left behind. */
  default ArrayGradients valueAndGradient(@Nullable NdArray... inputs) {
    return Calls.valueAndGradient(this, inputs);
  }

  /** This loss with its value and gradients multiplied by a finite number. */
  default WeightedSum times(double factor) {
    return WeightedSum.of(List.of(new WeightedSum.Term(factor, this, Map.of())));
  }

  /** This loss plus another: see {@link WeightedSum} for the tensors that the sum takes. */
  default WeightedSum plus(Loss other) {
    return WeightedSum.of(
        List.of(new WeightedSum.Term(1, this, Map.of()), new WeightedSum.Term(1, other, Map.of())));
  }

  /** This loss minus another. */
  default WeightedSum minus(Loss other) {
    return plus(other.times(-1));
  }

  /**
   * This loss with other names of its tensors, so that in a sum they are not those of another loss.
   *
   * @param names the new names by the old ones
   */
  default WeightedSum renamed(Map<String, String> names) {
    return WeightedSum.of(List.of(new WeightedSum.Term(1, this, names)));
  }
}
