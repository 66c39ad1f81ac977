package org.jloss.multitask;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jloss.Loss;
import org.jloss.Parameters;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Homoscedastic uncertainty weighting of several losses: {@code Σ e^{-s} L / 2 + s / 2}, or another
 * form, with {@code s = log σ²} learned.
 *
 * <p>{@code losses}: the tasks' losses {@code (T)}. {@code log_vars}: {@code s}, {@code (T)}, kept
 * by the caller and usually begun at 0. The value is one number.
 *
 * <p>Source: Kendall, Gal, Cipolla, 2018; plain: Gal's example code; softplus: Liebel, Körner,
 * 2018.
 *
 * @param form the form of all tasks, or one a task
 */
@Definition(
    id = "uncertainty_weighting",
    formula = "sum e^-s L / 2 + s / 2, s = log_vars",
    source = "Kendall, Gal, Cipolla 2018")
@Input(name = "losses", shape = "T", domain = Domain.REAL, differentiable = true)
@Input(name = "log_vars", shape = "T", domain = Domain.REAL, differentiable = true)
public record UncertaintyWeighting(List<Form> form) implements Loss {

  /** What a task is taken for. */
  public enum Form {
    /** e^{-s} L / 2 + s / 2. */
    REGRESSION,
    /** e^{-s} L + s / 2. */
    CLASSIFICATION,
    /** e^{-s} L + s. */
    PLAIN,
    /** e^{-s} L / 2 + log(1 + e^s), never negative. */
    SOFTPLUS
  }

  /** Checks the parameters. */
  public UncertaintyWeighting {
    form = List.copyOf(form);
    Parameters.check(UncertaintyWeighting.class, form);
  }

  /** The defaults. */
  public UncertaintyWeighting() {
    this(List.of(Form.REGRESSION));
  }

  /** A copy with this form. */
  public UncertaintyWeighting form(List<Form> form) {
    return Parameters.with(this, "form", form);
  }

  /** The loss of these tensors. */
  public Tensor apply(Tensor losses, Tensor logVars) {
    return Loss.super.apply(losses, logVars);
  }

  @Override
  public Tensor compute(@Nullable Tensor[] in, @Nullable TensorVector gradients) {
    return Native.uncertainty_weighting(
        in[0], in[1], form.stream().mapToLong(Form::ordinal).toArray(), gradients);
  }
}
