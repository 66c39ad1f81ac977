package org.jloss;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * Losses added up, each with a factor: {@code focal.times(0.5).plus(dice.times(0.3))}. A loss like
 * any other: immutable, equal to another of equal terms, with value and gradients in one go.
 *
 * <p>Its tensors are those of its terms by name: first those that a term requires, then the others,
 * each in the order of the terms. Terms that share a name get the same tensor; where they should
 * not, {@link Loss#renamed} gives one of them another name. Each term checks the tensors itself.
 * The terms' values must have one shape: none is broadcast.
 */
public final class WeightedSum implements Loss {

  /**
   * A loss in a sum.
   *
   * @param factor what its value is multiplied by: finite
   * @param loss the loss
   * @param names what the sum calls the loss's tensors, by the loss's own names; those that keep
   *     their name need not be there
   */
  public record Term(double factor, Loss loss, Map<String, String> names) {
    /** Checks factor and names. */
    public Term {
      Objects.requireNonNull(loss, "loss");
      if (!Double.isFinite(factor)) {
        throw new IllegalArgumentException(
            loss.spec().id() + ": expected a finite factor, got " + factor);
      }
      names = Map.copyOf(names);
      final Spec spec = loss.spec();
      for (final String name : names.keySet()) {
        if (spec.indexOf(name) < 0) {
          throw new IllegalArgumentException(
              spec.id()
                  + ": expected a tensor's name, one of "
                  + spec.inputNames()
                  + ", got "
                  + name);
        }
      }
      if (spec.inputs().stream().map(Spec.InputSpec::name).map(rename(names)).distinct().count()
          < spec.inputs().size()) {
        throw new IllegalArgumentException(
            spec.id() + ": expected a name of its own for each tensor, got " + names);
      }
    }

    private static UnaryOperator<String> rename(Map<String, String> names) {
      return name -> names.getOrDefault(name, name);
    }

    private Term times(double by) {
      return new Term(factor * by, loss, names);
    }

    private Term renamed(Map<String, String> outer) {
      final Map<String, String> all = new LinkedHashMap<>();
      for (final Spec.InputSpec input : loss.spec().inputs()) {
        final String name = rename(names).apply(input.name());
        final String now = rename(outer).apply(name);
        if (!now.equals(input.name())) {
          all.put(input.name(), now);
        }
      }
      return new Term(factor, loss, all);
    }

    @Override
    public String toString() {
      return names.isEmpty() ? loss.toString() : loss + ".renamed" + names;
    }
  }

  private final List<Term> terms;
  private final Spec spec;

  /** For each term, where its inputs stand among those of the sum. */
  private final List<int[]> positions = new ArrayList<>();

  private WeightedSum(List<Term> terms) {
    this.terms = List.copyOf(terms);
    final Map<String, Spec.InputSpec> required = new LinkedHashMap<>();
    final Map<String, Spec.InputSpec> optional = new LinkedHashMap<>();
    for (final Term term : terms) {
      for (final Spec.InputSpec input : term.loss().spec().inputs()) {
        final String name = term.names().getOrDefault(input.name(), input.name());
        (input.optional() ? optional : required)
            .merge(name, named(input, name), WeightedSum::merged);
      }
    }
    optional.forEach((name, input) -> required.computeIfPresent(name, (n, r) -> merged(r, input)));
    optional.keySet().removeAll(required.keySet());
    final List<Spec.InputSpec> inputs = new ArrayList<>(required.values());
    inputs.addAll(optional.values());
    spec =
        new Spec(
            "weighted_sum",
            "own",
            WeightedSum.class,
            text(term -> term.loss().spec().id()),
            "",
            terms.stream().allMatch(t -> t.loss().spec().twiceDifferentiable()),
            List.of(),
            List.of(),
            List.copyOf(inputs));
    for (final Term term : terms) {
      positions.add(
          term.loss().spec().inputs().stream()
              .mapToInt(i -> spec.indexOf(term.names().getOrDefault(i.name(), i.name())))
              .toArray());
    }
  }

  /**
   * A sum of terms; sums among them are taken apart.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static WeightedSum of(List<Term> terms) {
    if (terms.isEmpty()) {
      throw new IllegalArgumentException("weighted_sum: expected a term or more, got none");
    }
    final List<Term> flat = new ArrayList<>();
    for (final Term term : terms) {
      if (term.loss() instanceof WeightedSum sum) {
        sum.terms.forEach(t -> flat.add(t.times(term.factor()).renamed(term.names())));
      } else {
        flat.add(term);
      }
    }
    return new WeightedSum(flat);
  }

  private static Spec.InputSpec named(Spec.InputSpec input, String name) {
    return new Spec.InputSpec(
        name,
        input.shape(),
        input.domain(),
        input.differentiable(),
        input.optional(),
        input.broadcasts());
  }

  /** One tensor of two terms: described as the first has it. */
  private static Spec.InputSpec merged(Spec.InputSpec first, Spec.InputSpec second) {
    return new Spec.InputSpec(
        first.name(),
        first.shape(),
        first.domain(),
        first.differentiable() || second.differentiable(),
        first.optional() && second.optional(),
        first.broadcasts());
  }

  /** The terms, in order; none of them is a sum itself. */
  public List<Term> terms() {
    return terms;
  }

  @Override
  public Spec spec() {
    return spec;
  }

  @Override
  public Tensor compute(@Nullable Tensor[] inputs, @Nullable TensorVector gradients) {
    final Tensor result = new Tensor(); // outside the scope, so that it is the caller's
    try (PointerScope scope = new PointerScope()) {
      return result.put(gradients == null ? value(inputs) : value(inputs, gradients));
    }
  }

  private Tensor value(@Nullable Tensor[] inputs) {
    Tensor sum = null;
    for (int i = 0; i < terms.size(); i++) {
      sum = add(sum, i, terms.get(i).loss().apply(select(i, inputs)));
    }
    return Objects.requireNonNull(sum);
  }

  private Tensor value(@Nullable Tensor[] inputs, TensorVector gradients) {
    final boolean asked =
        Arrays.stream(inputs).anyMatch(input -> input != null && input.requires_grad());
    final Tensor[] slopes = new Tensor[inputs.length];
    final boolean[] missed = new boolean[inputs.length];
    Tensor sum = null;
    for (int i = 0; i < terms.size(); i++) {
      final Loss loss = terms.get(i).loss();
      // Freed by the caller's scope.
      final ValueAndGradient part = loss.valueAndGradient(select(i, inputs));
      sum = add(sum, i, part.value());
      for (int j = 0; j < positions.get(i).length; j++) {
        final int at = positions.get(i)[j];
        final Tensor slope = part.gradient(j);
        if (slope == null) {
          missed[at] |= inputs[at] != null && loss.spec().inputs().get(j).differentiable();
        } else if (!asked || Objects.requireNonNull(inputs[at]).requires_grad()) {
          slopes[at] = add(slopes[at], i, slope);
        }
      }
    }
    if (!asked && anyBoth(slopes, missed)) {
      // One term's target is another's prediction: both must give a gradient.
      return value(requiring(inputs, slopes), gradients);
    }
    gradients.resize(inputs.length);
    for (int i = 0; i < slopes.length; i++) {
      if (slopes[i] != null) {
        gradients.put(i, slopes[i]);
      }
    }
    return Objects.requireNonNull(sum);
  }

  private static boolean anyBoth(@Nullable Tensor[] slopes, boolean[] missed) {
    for (int i = 0; i < slopes.length; i++) {
      if (missed[i] && slopes[i] != null) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable Tensor[] requiring(
      @Nullable Tensor[] inputs, @Nullable Tensor[] wanted) {
    final Tensor[] leaves = inputs.clone();
    for (int i = 0; i < leaves.length; i++) {
      if (wanted[i] != null) {
        leaves[i] = Objects.requireNonNull(inputs[i]).detach().requires_grad_(true);
      }
    }
    return leaves;
  }

  /** A term's tensors. */
  private @Nullable Tensor[] select(int term, @Nullable Tensor[] inputs) {
    return Arrays.stream(positions.get(term)).mapToObj(i -> inputs[i]).toArray(Tensor[]::new);
  }

  /** The sum with a term's factor times a value or gradient. */
  private Tensor add(@Nullable Tensor sum, int term, Tensor value) {
    final double factor = terms.get(term).factor();
    if (sum == null) {
      return factor == 1 ? value : value.mul(new Scalar(factor));
    }
    if (!Arrays.equals(sum.shape(), value.shape())) {
      throw new IllegalArgumentException(
          "weighted_sum: expected the value of "
              + terms.get(term).loss().spec().id()
              + " to have shape "
              + Arrays.toString(sum.shape())
              + " as those before it, got "
              + Arrays.toString(value.shape())
              + ": give the terms one reduction");
    }
    return sum.add(value, new Scalar(factor));
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof WeightedSum sum && sum.terms.equals(terms);
  }

  @Override
  public int hashCode() {
    return terms.hashCode();
  }

  @Override
  public String toString() {
    return text(Term::toString);
  }

  private String text(Function<Term, String> name) {
    return terms.stream()
        .map(t -> (t.factor() == 1 ? "" : t.factor() + " * ") + name.apply(t))
        .collect(Collectors.joining(" + "));
  }
}
