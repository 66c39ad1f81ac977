package org.jloss.python;

import org.bytedeco.pytorch.Tensor;
import org.jloss.FormulaLoss;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** A loss whose formula a script wrote. */
final class PyFormula implements FormulaLoss {
  private final Spec spec;
  private final PyFunction formula;

  PyFormula(Spec spec, PyFunction formula) {
    this.spec = spec;
    this.formula = formula;
  }

  @Override
  public Spec spec() {
    return spec;
  }

  @Override
  public Tensor formula(@Nullable Tensor[] inputs) {
    return formula.call(inputs)[0];
  }

  @Override
  public String toString() {
    return spec.id();
  }
}
