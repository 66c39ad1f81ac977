package org.jloss;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/** Backward passes whose errors arrive as Java exceptions of the right type. */
public final class Autograd {
  private Autograd() {}

  /**
   * The backward pass from a value of one number: adds to the {@code grad} of the leaves. What a
   * {@link CustomLoss} throws arrives as it was thrown.
   */
  public static void backward(Tensor value) {
    Tensors.checkOpen(value);
    Callbacks.forget();
    try {
      value.backward();
    } catch (RuntimeException e) {
      throw Callbacks.original(e);
    }
  }

  /**
   * Outputs as computed from inputs by a function whose gradient {@code backward} computes. It is
   * given the saved tensors, then the outputs' gradients, null where there is none, and gives one
   * gradient an input, null where there is none; on the thread that runs the backward pass, and in
   * grad mode where second derivatives are wanted. What it throws arrives as it was thrown.
   *
   * @param name the node's, as in {@code grad_fn=<name>}
   * @param inputs of which some may be null
   * @param outputs computed from them without grad mode
   * @param saved inputs, outputs or others; one that is changed in place before the backward pass
   *     is refused there
   * @return the outputs, which the caller closes; without a graph where no input requires a
   *     gradient
   */
  public static Tensor[] record(
      String name,
      @Nullable Tensor[] inputs,
      Tensor[] outputs,
      @Nullable Tensor[] saved,
      UnaryOperator<@Nullable Tensor[]> backward) {
    return Callbacks.record(name, inputs, outputs, saved, backward::apply);
  }

  /**
   * Calls a function with each gradient of a tensor; what it gives, if anything, replaces it.
   *
   * @param accumulated calls it with the leaf instead, once its {@code grad} holds the gradient
   * @return what removes the function
   */
  public static Runnable hook(
      Tensor tensor, boolean accumulated, Function<Tensor, @Nullable Tensor> function) {
    return Callbacks.hook(tensor, accumulated, given -> new Tensor[] {function.apply(given[0])});
  }

  /**
   * Calls a function with the gradients that a backward pass brings to a node of the graph, before
   * it computes; or after it, with the gradients that it has computed, then those that reached it.
   * What it gives replaces the former, one for one; an empty array leaves them as they are. Of all
   * of them some may be null.
   *
   * @return what removes the function
   */
  public static Runnable hook(
      Node node, boolean before, UnaryOperator<@Nullable Tensor[]> function) {
    return Callbacks.hook(node, before, function::apply);
  }

  /** The leaf whose {@code grad} a node of the graph adds to, or null. */
  public static @Nullable Tensor leafOf(Node node) {
    Callbacks.checkOpen(node);
    final Tensor leaf = Native.leaf_of(node);
    return leaf.defined() ? leaf : null;
  }

  /** Value and gradients of a formula, on leaves of their own. See {@link Loss#compute}. */
  static Tensor differentiate(FormulaLoss loss, @Nullable Tensor[] inputs, TensorVector gradients) {
    final Tensor value = new Tensor(); // outside the scope, so that it is the caller's
    try (PointerScope scope = new PointerScope();
        AutoGradMode mode = new AutoGradMode(true)) {
      boolean asked = false;
      for (final Tensor input : inputs) {
        asked |= input != null && input.requires_grad();
      }
      final Tensor[] leaves = new Tensor[inputs.length];
      final List<Tensor> variables = new ArrayList<>();
      for (int i = 0; i < inputs.length; i++) {
        if (inputs[i] == null) {
          continue;
        }
        leaves[i] = inputs[i].detach();
        final Spec.InputSpec spec = loss.spec().inputs().get(i);
        if (inputs[i].is_floating_point()
            && (asked ? inputs[i].requires_grad() : spec.differentiable() && i == 0)) {
          leaves[i].requires_grad_(true);
          variables.add(leaves[i]);
        }
      }
      final Tensor result = Callbacks.value(loss, "formula", loss.formula(leaves));
      value.put(result.detach());
      gradients.resize(inputs.length);
      if (result.requires_grad() && !variables.isEmpty()) {
        final TensorVector found =
            torch.grad(
                new TensorVector(result),
                new TensorVector(variables.toArray(Tensor[]::new)),
                new TensorVector(torch.ones_like(result)),
                new BoolOptional(false),
                false,
                true);
        for (int i = 0, k = 0; i < leaves.length; i++) {
          if (leaves[i] != null && leaves[i].requires_grad()) {
            final Tensor gradient = found.get(k++);
            gradients.put(i, gradient.defined() ? gradient : torch.zeros_like(leaves[i]));
          }
        }
      }
    }
    return value;
  }
}
