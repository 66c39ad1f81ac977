package org.jloss.python;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Value;
import org.jloss.Spec;
import org.jloss.annotation.Domain;
import org.jspecify.annotations.Nullable;

/**
 * A function of tensors that a script wrote, for Java to call. It lives as long as its interpreter,
 * and is used by one thread at a time as that is.
 */
final class PyFunction {
  private final TensorPool pool;
  private final Value function;
  private final Function<PolyglotException, RuntimeException> translate;

  /**
   * A function.
   *
   * @param function takes a {@link PyTensor} or None for each tensor, returns a tuple of them
   * @param translate what an exception in Python becomes
   */
  PyFunction(
      TensorPool pool, Value function, Function<PolyglotException, RuntimeException> translate) {
    this.pool = pool;
    this.function = function;
    this.translate = translate;
  }

  /** What a loss or miner is that consists of such functions. */
  static Spec spec(String name, List<String> names, int required, Class<?> type) {
    return new Spec(
        name,
        "own",
        type,
        name + "(" + String.join(", ", names) + "), a function in Python",
        "",
        true,
        List.of(),
        List.of(),
        names.stream()
            .map(
                n ->
                    new Spec.InputSpec(
                        n, "*", Domain.REAL, true, names.indexOf(n) >= required, false))
            .toList());
  }

  /** Handles of the tensors that it returns, the caller's to close. */
  @Nullable Tensor[] call(@Nullable Tensor... inputs) {
    pool.enter();
    try {
      pool.load();
      final Object[] faces = new Object[inputs.length];
      for (int i = 0; i < faces.length; i++) {
        faces[i] = inputs[i] == null ? null : pool.share(inputs[i]);
      }
      final List<?> results = Args.list(function.execute(faces));
      final Tensor[] tensors = new Tensor[results.size()];
      for (int i = 0; i < tensors.length; i++) {
        final PyTensor result = (PyTensor) results.get(i);
        tensors[i] = result == null ? null : new Tensor(result.tensor());
      }
      return tensors;
    } catch (PolyglotException e) {
      throw translate.apply(e);
    } finally {
      pool.exit();
    }
  }
}
