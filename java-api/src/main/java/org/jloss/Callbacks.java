package org.jloss;

import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Node;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jloss.binding.Callback;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/** The functions that the native library calls back, by handle. */
final class Callbacks {
  static {
    NativeLibrary.load(); // before the binding's classes, which would load it by themselves
  }

  private static final Map<Long, Function> FUNCTIONS = new ConcurrentHashMap<>();
  private static final AtomicLong NEXT = new AtomicLong();

  /** What a function threw on this thread, while it passes through native code. */
  private static final ThreadLocal<@Nullable Throwable> THROWN = new ThreadLocal<>();

  /** A function of tensors, of which some may be null. */
  interface Function {
    @Nullable Tensor[] apply(@Nullable Tensor[] inputs);
  }

  private static final Callback CALL =
      new Callback() {
        @Override
        public void call(long handle, long phase, TensorVector inputs, TensorVector outputs) {
          try {
            Callbacks.call(handle, phase, inputs, outputs);
            THROWN.remove(); // what the function caught itself
          } catch (Throwable e) {
            THROWN.set(e);
            throw e;
          }
        }
      }.retainReference();

  private Callbacks() {}

  static Tensor compute(
      CustomLoss loss, @Nullable Tensor[] inputs, @Nullable TensorVector gradients) {
    final Tensor result = new Tensor(); // outside the scope, so that it is the caller's
    try (PointerScope scope = new PointerScope()) {
      final Tensor value;
      try (AutoGradMode mode = new AutoGradMode(false)) {
        value = value(loss, inputs);
        if (gradients != null) {
          final TensorVector found =
              vector(gradients(loss, inputs, loss.backward(inputs, torch.ones_like(value))));
          gradients.resize(inputs.length);
          for (int i = 0; i < inputs.length; i++) {
            gradients.put(i, found.get(i));
          }
          return result.put(value);
        }
      }
      final int count = inputs.length;
      return result.put(
          record(
              "custom_loss_backward",
              inputs,
              new Tensor[] {apart(value, inputs)},
              inputs,
              given -> {
                if (given[count] == null) {
                  return new Tensor[count];
                }
                final Tensor[] saved = Arrays.copyOf(given, count);
                return gradients(loss, saved, loss.backward(saved, given[count]));
              })[0]);
    }
  }

  /** Outputs with a graph; see {@link Autograd#record}. */
  static Tensor[] record(
      String name,
      @Nullable Tensor[] inputs,
      @Nullable Tensor[] outputs,
      @Nullable Tensor[] saved,
      Function backward) {
    THROWN.remove();
    open(name + ": expected inputs to be open tensors", inputs);
    open(name + ": expected outputs to be open tensors", outputs);
    open(name + ": expected saved to be open tensors", saved);
    final Function gradients =
        given -> open(name + ": expected backward to give open tensors", backward.apply(given));
    final Tensor[] results =
        new Tensor[outputs.length]; // outside the scope, as they are the caller's
    for (int i = 0; i < results.length; i++) {
      results[i] = outputs[i] == null ? null : new Tensor();
    }
    try (PointerScope scope = new PointerScope()) {
      final TensorVector found =
          Native.record(
              vector(inputs), vector(outputs), vector(saved), name, keep(gradients), CALL);
      for (int i = 0; i < results.length; i++) {
        if (results[i] != null) {
          results[i].put(found.get(i));
        }
      }
      return results;
    } catch (RuntimeException e) {
      throw original(e);
    }
  }

  /** Hooks a tensor; what undoes it. See {@link Autograd#hook}. */
  static Runnable hook(Tensor tensor, boolean accumulated, Function function) {
    Tensors.checkOpen(tensor);
    return hook(function, handle -> Native.add_hook(tensor, accumulated, handle, CALL));
  }

  /**
   * Hooks a node of the graph; what undoes it. See {@link Autograd#hook(Node, boolean,
   * UnaryOperator)}.
   */
  static Runnable hook(Node node, boolean before, Function function) {
    checkOpen(node);
    return hook(function, handle -> Native.add_node_hook(node, before, handle, CALL));
  }

  private static Runnable hook(Function function, LongConsumer add) {
    final long handle =
        keep(given -> open("expected a hook to give an open tensor", function.apply(given)));
    try {
      add.accept(handle);
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    }
    return () -> Native.remove_hook(handle);
  }

  static void checkOpen(@Nullable Node node) {
    if (node == null || node.isNull()) {
      throw new IllegalStateException(
          "expected an open node, got " + (node == null ? "null" : "a closed one"));
    }
  }

  private static long keep(Function function) {
    final long handle = NEXT.incrementAndGet();
    FUNCTIONS.put(handle, function);
    return handle;
  }

  private static void call(long handle, long phase, TensorVector inputs, TensorVector outputs) {
    if (phase == Native.kRelease) {
      FUNCTIONS.remove(handle);
      return;
    }
    final Function function = Objects.requireNonNull(FUNCTIONS.get(handle));
    try (PointerScope scope = new PointerScope()) {
      final Tensor[] results = function.apply(array(inputs));
      outputs.resize(results.length);
      for (int i = 0; i < results.length; i++) {
        if (results[i] != null) {
          outputs.put(i, results[i]);
        }
      }
    }
  }

  private static @Nullable Tensor[] gradients(
      CustomLoss loss, @Nullable Tensor[] inputs, @Nullable Tensor[] gradients) {
    if (gradients.length != inputs.length) {
      throw new IllegalArgumentException(
          loss.spec().id()
              + ": expected backward to give "
              + inputs.length
              + " gradients, one an input, got "
              + gradients.length);
    }
    return open(loss.spec().id() + ": expected backward to give open tensors", gradients);
  }

  private static @Nullable Tensor[] open(String expected, @Nullable Tensor[] tensors) {
    for (final Tensor tensor : tensors) {
      if (tensor != null && tensor.isNull()) {
        throw new IllegalStateException(expected + ", got a closed one");
      }
    }
    return tensors;
  }

  /** The value where its memory is no input's. */
  private static Tensor apart(Tensor value, @Nullable Tensor[] inputs) {
    for (final Tensor input : inputs) {
      if (input != null && input.defined() && value.is_alias_of(input)) {
        return value.detach().clone();
      }
    }
    return value.detach();
  }

  private static TensorVector vector(@Nullable Tensor[] tensors) {
    final TensorVector vector = new TensorVector(tensors.length);
    for (int i = 0; i < tensors.length; i++) {
      if (tensors[i] != null) {
        vector.put(i, tensors[i]);
      }
    }
    return vector;
  }

  private static @Nullable Tensor[] array(TensorVector vector) {
    final Tensor[] tensors = new Tensor[(int) vector.size()];
    for (int i = 0; i < tensors.length; i++) {
      // A handle of its own, as the vector goes.
      final Tensor tensor = new Tensor(vector.get(i));
      tensors[i] = tensor.defined() ? tensor : null;
    }
    return tensors;
  }

  private static Tensor value(CustomLoss loss, @Nullable Tensor[] inputs) {
    return value(loss, "forward", loss.forward(inputs));
  }

  /** What a method of a user's loss gave, if that is a tensor. */
  static Tensor value(Loss loss, String method, @Nullable Tensor value) {
    if (value == null || value.isNull() || !value.defined()) {
      throw new IllegalStateException(
          loss.spec().id()
              + ": expected "
              + method
              + " to give an open tensor, got "
              + (value == null ? "null" : value.isNull() ? "a closed one" : "an undefined one"));
    }
    return value;
  }

  /** Forgets what a loss threw that nobody asked for. */
  static void forget() {
    THROWN.remove();
  }

  /** What the loss threw, where this exception is what native code made of it. */
  static RuntimeException original(RuntimeException thrown) {
    final Throwable original = THROWN.get();
    THROWN.remove();
    if (original != null) {
      throw Callbacks.<RuntimeException>asItIs(original);
    }
    return Errors.translate(thrown);
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E asItIs(Throwable thrown) throws E {
    throw (E) thrown;
  }
}
