package org.jloss.python;

import java.util.List;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Value;
import org.jloss.FormulaLoss;
import org.jloss.Spec;
import org.jloss.annotation.Domain;
import org.jspecify.annotations.Nullable;

/**
 * A loss whose formula a script wrote. It lives as long as its interpreter, and is used by one
 * thread at a time as that is.
 */
final class PyFormula implements FormulaLoss {
  private final TensorPool pool;
  private final Spec spec;
  private final Value function;
  private final Function<PolyglotException, RuntimeException> translate;

  /**
   * A loss.
   *
   * @param names the tensors' names
   * @param required how many of them must be given
   * @param function takes {@link PyTensor}s and nulls, returns one
   * @param translate what an exception in Python becomes
   */
  PyFormula(
      TensorPool pool,
      String name,
      List<String> names,
      int required,
      Value function,
      Function<PolyglotException, RuntimeException> translate) {
    this.pool = pool;
    this.function = function;
    this.translate = translate;
    this.spec =
        new Spec(
            name,
            "own",
            PyFormula.class,
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

  @Override
  public Spec spec() {
    return spec;
  }

  @Override
  public Tensor formula(@Nullable Tensor[] inputs) {
    pool.enter();
    try {
      final Object[] faces = new Object[inputs.length];
      for (int i = 0; i < faces.length; i++) {
        faces[i] = inputs[i] == null ? null : pool.share(inputs[i]);
      }
      pool.load();
      final PyTensor result = function.execute(faces).asHostObject();
      return new Tensor(result.tensor());
    } catch (PolyglotException e) {
      throw translate.apply(e);
    } finally {
      pool.exit();
    }
  }

  @Override
  public String toString() {
    return spec.id();
  }
}
