package org.jloss;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Family;
import org.jloss.annotation.Input;
import org.jloss.annotation.Range;
import org.jloss.annotation.Stateful;
import org.jspecify.annotations.Nullable;

/**
 * What a loss is: its name, parameters and tensors. Read from the annotated record, once a class.
 *
 * @param id the name in snake case
 * @param family the family, as the catalogue names it; "own" for a loss of one's own
 * @param type the record
 * @param formula the formula in one line
 * @param source where the definition comes from
 * @param twiceDifferentiable whether it has a second derivative
 * @param reductions the legal reductions; empty where the loss has no such parameter
 * @param parameters its parameters, in the order of the record's components
 * @param inputs its tensors, in the order of the arguments
 */
public record Spec(
    String id,
    String family,
    Class<?> type,
    String formula,
    String source,
    boolean twiceDifferentiable,
    List<Reduction> reductions,
    List<Parameter> parameters,
    List<InputSpec> inputs) {

  /**
   * A parameter of a loss.
   *
   * @param name the name in snake case, as in PyTorch
   * @param component the record's component
   * @param type its Java type; of a list that of its elements
   * @param list whether it is a list
   * @param nullable whether it may be left out
   * @param min the lower bound
   * @param max the upper bound
   * @param openMin whether the lower bound is illegal
   * @param openMax whether the upper bound is illegal
   */
  public record Parameter(
      String name,
      String component,
      Class<?> type,
      boolean list,
      boolean nullable,
      double min,
      double max,
      boolean openMin,
      boolean openMax) {

    /** The legal numbers in words. */
    public String range() {
      if (min == max) {
        return "= " + number(min);
      }
      final List<String> bounds = new ArrayList<>();
      if (min > Double.NEGATIVE_INFINITY) {
        bounds.add((openMin ? "> " : ">= ") + number(min));
      }
      if (max < Double.POSITIVE_INFINITY) {
        bounds.add((openMax ? "< " : "<= ") + number(max));
      }
      if ((openMin && min == Double.NEGATIVE_INFINITY)
          || (openMax && max == Double.POSITIVE_INFINITY)) {
        bounds.add("finite");
      }
      return bounds.isEmpty() ? "a number" : String.join(" and ", bounds);
    }

    boolean allows(double value) {
      return (openMin ? value > min : value >= min) && (openMax ? value < max : value <= max);
    }

    private static String number(double value) {
      return value == Math.rint(value) && Math.abs(value) < 1e15
          ? Long.toString((long) value)
          : Double.toString(value);
    }
  }

  /**
   * A tensor that a loss takes.
   *
   * @param name the name, as in PyTorch
   * @param shape the shape, see {@link Input#shape()}
   * @param domain what its values mean
   * @param differentiable whether the loss has a gradient with respect to it
   * @param optional whether it may be left out
   * @param broadcasts whether it is broadcast to the first input
   */
  public record InputSpec(
      String name,
      String shape,
      Domain domain,
      boolean differentiable,
      boolean optional,
      boolean broadcasts) {}

  private static final ClassValue<Spec> SPECS =
      new ClassValue<>() {
        @Override
        protected Spec computeValue(Class<?> type) {
          return read(type);
        }
      };

  /** The description that a record carries. */
  public static Spec of(Class<?> type) {
    return SPECS.get(type);
  }

  /** The description of a loss of one's own that no record describes. */
  static Spec ofOwn(String name, Class<?> type, int inputs) {
    final List<InputSpec> specs = new ArrayList<>();
    for (int i = 0; i < inputs; i++) {
      specs.add(new InputSpec("input" + i, "*", Domain.REAL, true, false, false));
    }
    return new Spec(name, "own", type, "", "", true, List.of(), List.of(), List.copyOf(specs));
  }

  /** The input of a name. */
  public Optional<InputSpec> input(String name) {
    return inputs.stream().filter(i -> i.name().equals(name)).findFirst();
  }

  /** The names of the inputs, for messages. */
  String inputNames() {
    return String.join(", ", inputs.stream().map(InputSpec::name).toList());
  }

  /** The position of an input, or -1. */
  public int indexOf(String input) {
    for (int i = 0; i < inputs.size(); i++) {
      if (inputs.get(i).name().equals(input)) {
        return i;
      }
    }
    return -1;
  }

  /** The parameter of a name. */
  public Optional<Parameter> parameter(String name) {
    return parameters.stream().filter(p -> p.name().equals(name)).findFirst();
  }

  /** How many inputs must be given. */
  int requiredInputs() {
    return (int) inputs.stream().filter(i -> !i.optional()).count();
  }

  static String snakeCase(String camelCase) {
    return camelCase.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }

  private static Class<?> elementType(RecordComponent component) {
    return component.getGenericType() instanceof ParameterizedType list
        ? (Class<?>) list.getActualTypeArguments()[0]
        : component.getType();
  }

  private static Spec read(Class<?> type) {
    final Definition definition = type.getAnnotation(Definition.class);
    if (definition == null || !(type.isRecord() || type.isAnnotationPresent(Stateful.class))) {
      throw new IllegalArgumentException(
          type.getName() + " describes no loss: expected a record with @Definition");
    }
    final Stateful stateful = type.getAnnotation(Stateful.class);
    final Class<?> record = stateful == null ? type : stateful.options();
    final List<Parameter> parameters = new ArrayList<>();
    boolean reduces = false;
    for (final RecordComponent component : record.getRecordComponents()) {
      final Range range = component.getAnnotation(Range.class);
      reduces |= component.getType() == Reduction.class;
      parameters.add(
          new Parameter(
              snakeCase(component.getName()),
              component.getName(),
              elementType(component),
              component.getType() == List.class,
              component.getAnnotatedType().isAnnotationPresent(Nullable.class),
              range == null ? Double.NEGATIVE_INFINITY : range.min(),
              range == null ? Double.POSITIVE_INFINITY : range.max(),
              range != null && range.openMin(),
              range != null && range.openMax()));
    }
    final List<InputSpec> inputs =
        Arrays.stream(type.getAnnotationsByType(Input.class))
            .map(
                i ->
                    new InputSpec(
                        i.name(),
                        i.shape(),
                        i.domain(),
                        i.differentiable(),
                        i.optional(),
                        i.broadcasts()))
            .toList();
    final Family family = type.getPackage().getAnnotation(Family.class);
    return new Spec(
        definition.id(),
        family == null ? "own" : family.value(),
        type,
        definition.formula(),
        definition.source(),
        definition.twiceDifferentiable(),
        reduces ? List.of(definition.reductions()) : List.of(),
        List.copyOf(parameters),
        inputs);
  }
}
