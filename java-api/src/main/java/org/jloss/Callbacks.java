package org.jloss;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jloss.binding.Callback;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/** The losses that the native library calls back, by handle. */
final class Callbacks {
  private static final Map<Long, CustomLoss> LOSSES = new ConcurrentHashMap<>();
  private static final AtomicLong NEXT = new AtomicLong();

  /** What a loss threw on this thread, while it passes through native code. */
  private static final ThreadLocal<@Nullable Throwable> THROWN = new ThreadLocal<>();

  private static final Callback CALL =
      new Callback() {
        @Override
        public void call(long handle, long phase, TensorVector inputs, TensorVector outputs) {
          try {
            Callbacks.call(handle, phase, inputs, outputs);
          } catch (Throwable e) {
            THROWN.set(e);
            throw e;
          }
        }
      }.retainReference();

  private Callbacks() {}

  static Tensor compute(
      CustomLoss loss, @Nullable Tensor[] inputs, @Nullable TensorVector gradients) {
    if (gradients != null) {
      return withGradients(loss, inputs, gradients);
    }
    THROWN.remove();
    final long handle = NEXT.incrementAndGet();
    LOSSES.put(handle, loss);
    try (TensorVector vector = vector(inputs)) {
      return Native.custom_loss(vector, handle, CALL);
    } catch (RuntimeException e) {
      throw original(e);
    }
  }

  private static Tensor withGradients(
      CustomLoss loss, @Nullable Tensor[] inputs, TensorVector gradients) {
    final Tensor result = new Tensor(); // outside the scope, so that it is the caller's
    try (PointerScope scope = new PointerScope();
        AutoGradMode mode = new AutoGradMode(false)) {
      final Tensor value = value(loss, inputs);
      put(gradients, loss.backward(inputs, torch.ones_like(value)), inputs.length, loss.spec());
      return result.put(value);
    }
  }

  private static void call(long handle, long phase, TensorVector inputs, TensorVector outputs) {
    if (phase == Native.kRelease) {
      LOSSES.remove(handle);
      return;
    }
    final CustomLoss loss = Objects.requireNonNull(LOSSES.get(handle), "released");
    try (PointerScope scope = new PointerScope()) {
      final int count = (int) inputs.size() - (phase == Native.kBackward ? 1 : 0);
      final Tensor[] tensors = new Tensor[count];
      for (int i = 0; i < count; i++) {
        final Tensor input = inputs.get(i);
        tensors[i] = input.defined() ? input : null;
      }
      if (phase == Native.kForward) {
        outputs.push_back(value(loss, tensors));
      } else {
        put(outputs, loss.backward(tensors, inputs.get(count)), count, loss.spec());
      }
    }
  }

  private static void put(
      TensorVector vector, @Nullable Tensor[] gradients, int inputs, Spec spec) {
    if (gradients.length != inputs) {
      throw new IllegalArgumentException(
          spec.id()
              + ": expected backward to give "
              + inputs
              + " gradients, one an input, got "
              + gradients.length);
    }
    vector.resize(inputs);
    for (int i = 0; i < inputs; i++) {
      if (gradients[i] != null) {
        vector.put(i, gradients[i]);
      }
    }
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

  private static Tensor value(CustomLoss loss, @Nullable Tensor[] inputs) {
    final Tensor value = loss.forward(inputs);
    if (value == null || value.isNull()) {
      throw new IllegalStateException(
          loss.spec().id()
              + ": expected forward to give an open tensor, got "
              + (value == null ? "null" : "a closed one"));
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
