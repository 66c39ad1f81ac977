package org.jloss.python;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Autograd;
import org.jloss.Errors;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/** Backward passes, functions with a gradient of their own, and hooks. */
public final class PyAutograd {
  private final TensorPool pool;

  PyAutograd(TensorPool pool) {
    this.pool = pool;
  }

  /** Adds the gradients of tensors to the leaves', or to those of {@code inputs} if any. */
  @HostAccess.Export
  public void backward(
      Value tensors, Value gradients, boolean retain, boolean create, Value inputs) {
    Guard.run(
        () -> {
          pool.makeRoom();
          try (PointerScope scope = new PointerScope()) {
            final TensorVector roots = vector(tensors);
            return aloneIfSmall(
                roots,
                () -> {
                  torch.backward(
                      roots, vector(gradients), new BoolOptional(retain), create, vector(inputs));
                  return null;
                });
          } catch (RuntimeException e) {
            throw Errors.translateBackward(e);
          }
        });
  }

  /** The gradients of outputs with respect to inputs, null where one is not used. */
  @HostAccess.Export
  public @Nullable PyTensor[] grad(
      Value outputs, Value inputs, Value gradients, boolean retain, boolean create) {
    return Guard.run(
        () -> {
          pool.makeRoom();
          try (PointerScope scope = new PointerScope()) {
            final TensorVector roots = vector(outputs);
            final TensorVector found =
                aloneIfSmall(
                    roots,
                    () ->
                        torch.grad(
                            roots,
                            vector(inputs),
                            vector(gradients),
                            new BoolOptional(retain),
                            create,
                            true));
            final PyTensor[] faces = new PyTensor[(int) found.size()];
            for (int i = 0; i < faces.length; i++) {
              faces[i] = face(found.get(i));
            }
            return faces;
          } catch (RuntimeException e) {
            throw Errors.translateBackward(e);
          }
        });
  }

  /**
   * Outputs with a graph, see {@link Autograd#record}.
   *
   * @param backward takes the saved tensors and the outputs' gradients, gives the inputs'
   */
  @HostAccess.Export
  public @Nullable PyTensor[] record(
      String name, Value inputs, Value outputs, Value saved, Value backward) {
    return Guard.run(
        () -> {
          final Tensor[] results =
              Autograd.record(
                  name,
                  array(inputs),
                  array(outputs),
                  array(saved),
                  given -> gradients(pool, backward, given));
          final PyTensor[] faces = new PyTensor[results.length];
          for (int i = 0; i < faces.length; i++) {
            faces[i] = results[i] == null ? null : pool.own(results[i]);
          }
          return faces;
        });
  }

  /** Hooks a tensor, see {@link Autograd#hook}; what removes the hook. */
  @HostAccess.Export
  public PyHook hook(PyTensor tensor, boolean accumulated, Value function) {
    return Guard.run(
        () ->
            new PyHook(
                Autograd.hook(
                    tensor.tensor(),
                    accumulated,
                    given -> {
                      final Value result = callBack(pool, function, pool.share(given));
                      return result.isNull() ? null : tensor(result);
                    })));
  }

  /** Has a tensor that is no leaf keep its gradient. */
  @HostAccess.Export
  public void retainGrad(PyTensor tensor) {
    Guard.run(
        () -> {
          try {
            tensor.tensor().retain_grad();
            return null;
          } catch (RuntimeException e) {
            throw Errors.translate(e);
          }
        });
  }

  /** What a script's function makes of gradients, of which some may be null. */
  static @Nullable Tensor[] gradients(TensorPool pool, Value function, @Nullable Tensor[] given) {
    final List<@Nullable Object> faces = new ArrayList<>();
    for (final Tensor tensor : given) {
      faces.add(tensor == null ? null : pool.share(tensor));
    }
    return array(callBack(pool, function, (Object) faces.toArray()));
  }

  private static Value callBack(TensorPool pool, Value function, Object argument) {
    pool.enter();
    try {
      return function.execute(argument);
    } finally {
      pool.exit();
    }
  }

  private @Nullable PyTensor face(Tensor tensor) {
    return tensor.defined() ? pool.share(tensor) : null;
  }

  /** Runs a pass in this thread alone where all it goes through is small. */
  private <T extends @Nullable Object> T aloneIfSmall(TensorVector roots, Supplier<T> pass) {
    final long threads = Native.alone(roots);
    final T result;
    try {
      result = pass.get();
    } catch (RuntimeException | Error e) {
      Native.together(threads);
      pool.warnBesideError();
      throw e;
    }
    if (Native.together(threads)) {
      pool.warn();
    }
    return result;
  }

  private static Tensor tensor(Value value) {
    if (Args.of(value) instanceof PyTensor face) {
      return face.tensor();
    }
    throw new PyError("TypeError", "expected a Tensor, got " + Args.typeName(value));
  }

  private static @Nullable Tensor[] array(Value values) {
    final Tensor[] tensors = new Tensor[Math.toIntExact(values.getArraySize())];
    for (int i = 0; i < tensors.length; i++) {
      final Value value = values.getArrayElement(i);
      tensors[i] = value.isNull() ? null : tensor(value);
    }
    return tensors;
  }

  private static TensorVector vector(Value values) {
    final Tensor[] tensors = array(values);
    final TensorVector vector = new TensorVector(tensors.length);
    for (int i = 0; i < tensors.length; i++) {
      if (tensors[i] != null) {
        vector.put(i, tensors[i]);
      }
    }
    return vector;
  }
}
