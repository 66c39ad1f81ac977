package org.jloss.python;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jloss.ClassWeights;
import org.jloss.FormulaLoss;
import org.jloss.Numbers;
import org.jloss.Parameters;
import org.jloss.Reduction;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.annotation.Range;
import org.jspecify.annotations.Nullable;

/**
 * A loss that only these tests have, with a parameter of every kind: by META-INF/jloss/losses.txt
 * alone it is in Python, its functions and its stubs.
 */
@Definition(
    id = "every_kind_loss",
    formula = "sum |input - \"target\"|, \\ or é",
    source = "these tests")
@Input(name = "input", shape = "*", domain = Domain.REAL, differentiable = true)
@Input(name = "target", shape = "*", domain = Domain.REAL)
@Input(name = "weight", shape = "C", domain = Domain.WEIGHT, optional = true)
public record EveryKindLoss(
    @Nullable ClassWeights weight,
    @Range(min = 0) double upTo,
    long count,
    boolean flag,
    @Nullable Double maybe,
    Numbers quantiles,
    List<Shade> shades,
    Reduction reduction)
    implements FormulaLoss {

  /** Some names. */
  public enum Shade {
    LIGHT,
    VERY_DARK
  }

  public EveryKindLoss {
    Parameters.check(
        EveryKindLoss.class, weight, upTo, count, flag, maybe, quantiles, shades, reduction);
  }

  public EveryKindLoss() {
    this(
        null,
        Double.POSITIVE_INFINITY,
        -3,
        true,
        null,
        Numbers.of(0.25, 0.5),
        List.of(Shade.LIGHT, Shade.VERY_DARK),
        Reduction.SUM);
  }

  @Override
  public Tensor formula(@Nullable Tensor[] in) {
    return in[0].sub(in[1]).abs().sum();
  }
}
