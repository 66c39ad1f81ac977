package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoublePredicate;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jloss.Losses;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Stateful;
import org.jloss.parity.DType;
import org.jloss.parity.Layout;
import org.jloss.parity.ReferenceCase;
import org.jloss.parity.ReferenceFile;
import org.jloss.parity.TensorEntry;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the reference cases of a loss must contain, by what its record says of it. */
class CoverageTest {
  private static final Path REFERENCE = Path.of(System.getProperty("jloss.reference"));

  /** Around the widths of vectors. */
  private static final long[] SIZES = {1, 3, 15, 17, 31, 33, 63, 65, 127, 1000, 1025};

  /** What exp underflows or overflows for, in float64 too. */
  private static final double EXTREME = 1e4;

  @TestFactory
  Stream<DynamicTest> everyLossHasItsCases() {
    return Losses.all().stream()
        .map(
            spec ->
                dynamicTest(
                    spec.id(),
                    () -> assertEquals(List.of(), new Wanted(spec).missing(), spec.id())));
  }

  @Test
  void fourLossesHaveHalfPrecision() {
    final long losses =
        Losses.all().stream()
            .filter(spec -> cases(spec).stream().anyMatch(c -> c.dtype() == DType.BF16))
            .count();
    assertTrue(losses >= 4, losses + " losses have cases in bfloat16");
  }

  private static List<ReferenceCase> cases(Spec spec) {
    try {
      return ReferenceFile.read(REFERENCE.resolve(spec.id() + ".safetensors")).cases();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The cases of a loss, and what is not among them. */
  private static final class Wanted {
    private final Spec spec;
    private final List<ReferenceCase> cases;
    private final Spec.InputSpec first;
    private final boolean differentiable;
    private final List<String> missing = new ArrayList<>();

    Wanted(Spec spec) {
      this.spec = spec;
      cases = cases(spec);
      first = spec.inputs().get(0);
      differentiable = spec.inputs().stream().anyMatch(Spec.InputSpec::differentiable);
    }

    List<String> missing() {
      want("float32", c -> c.dtype() == DType.F32);
      want("float64", c -> c.dtype() == DType.F64);
      spec.parameters().forEach(this::parameter);
      spec.inputs().forEach(this::input);
      sizes();
      layouts();
      numbers();
      classIndices();
      if (differentiable) {
        gradients();
      }
      return missing;
    }

    private void want(String what, Predicate<ReferenceCase> which) {
      if (cases.stream().noneMatch(which)) {
        missing.add(what);
      }
    }

    /** Its default and every other choice, or at least one other value. */
    private void parameter(Spec.Parameter parameter) {
      if (spec.indexOf(parameter.name()) >= 0) {
        return; // given as an input
      }
      final Object usual = value(Map.of(), parameter);
      final Object[] choices =
          parameter.type() == Reduction.class
              ? spec.reductions().toArray()
              : parameter.type().getEnumConstants();
      if (choices != null) {
        for (final Object choice : choices) {
          final Object wanted = parameter.list() ? List.of(choice) : choice;
          want(parameter.name() + " " + choice, c -> wanted.equals(value(c, parameter)));
        }
      } else {
        want("another " + parameter.name(), c -> !Objects.equals(usual, value(c, parameter)));
      }
      if (!spec.type().isAnnotationPresent(Stateful.class)) {
        want("the usual " + parameter.name(), c -> Objects.equals(usual, value(c, parameter)));
      }
      if (parameter.list()) {
        want(
            "several of " + parameter.name(),
            c -> value(c, parameter) instanceof List<?> l && l.size() > 1);
      }
    }

    private Object value(ReferenceCase reference, Spec.Parameter parameter) {
      return value(reference.parameters(), parameter);
    }

    private Object value(Map<String, Object> parameters, Spec.Parameter parameter) {
      return Losses.value(Losses.parameters(spec, parameters), parameter);
    }

    /** Given and left out, in each of its shapes. */
    private void input(Spec.InputSpec input) {
      final String name = input.name();
      if (input.optional()) {
        want("no " + name, c -> !c.inputs().containsKey(name));
      }
      for (final String shape : input.shape().split("\\|")) {
        final int axes = shape.equals("()") ? 0 : shape.split(",").length;
        final boolean space = shape.contains("*");
        final int least = space && axes > 1 ? axes - 1 : space ? 0 : axes;
        want(
            name + " of shape " + shape,
            has(name, t -> space ? t.shape().length >= least : t.shape().length == axes));
      }
      if (input.domain() == Domain.CLASS_INDEX_OR_SIMPLEX) {
        want(name + " of indices", has(name, t -> !t.dtype().isFloating()));
        want(name + " of probabilities", has(name, t -> t.dtype().isFloating()));
      }
    }

    private void sizes() {
      for (final long size : SIZES) {
        want(
            "an axis of length " + size,
            c ->
                c.inputs().values().stream()
                    .anyMatch(t -> Arrays.stream(t.shape()).anyMatch(n -> n == size)));
      }
      want("one element", has(first.name(), t -> t.numel() == 1));
      want("an empty batch", has(first.name(), t -> t.numel() == 0));
    }

    private void layouts() {
      final int axes =
          first.shape().equals("*") || first.shape().contains(",*")
              ? 4
              : first.shape().split("\\|")[0].split(",").length;
      for (final Layout layout : Layout.values()) {
        if (layout != Layout.CONTIGUOUS && layout.suits(axes)) {
          want(first.name() + " " + layout.id(), c -> c.layouts().get(first.name()) == layout);
        }
      }
    }

    /** The borders of what inputs may hold. */
    private void numbers() {
      if (differentiable) {
        want("a NaN", c -> c.inputs().values().stream().anyMatch(Wanted::hasNan));
      }
      for (final Spec.InputSpec input : spec.inputs()) {
        switch (input.domain()) {
          case LOGITS -> {
            number(input, "a huge", x -> x >= EXTREME);
            number(input, "a huge negative", x -> x <= -EXTREME);
          }
          case LOG_PROBABILITY -> number(input, "a huge negative", x -> x <= -EXTREME);
          case PROBABILITY, SIMPLEX, BINARY, CLASS_INDEX_OR_SIMPLEX -> {
            number(input, "an exact 0 in", x -> x == 0);
            number(input, "an exact 1 in", x -> x == 1);
          }
          case WEIGHT -> {
            number(input, "a 0 in", x -> x == 0);
            number(input, "a negative", x -> x < 0);
          }
          case REAL -> number(first, "a huge", x -> x >= EXTREME);
          case EMBEDDING -> {
            if (differentiable) {
              want("extreme embeddings", c -> c.tags().contains("extreme"));
            }
          }
          default -> {}
        }
      }
    }

    private static boolean hasNan(TensorEntry entry) {
      return entry.dtype().isFloating() && Arrays.stream(entry.toDoubles()).anyMatch(Double::isNaN);
    }

    private void number(Spec.InputSpec input, String what, DoublePredicate which) {
      want(
          what + " " + input.name(),
          has(
              input.name(),
              t -> t.dtype().isFloating() && Arrays.stream(t.toDoubles()).anyMatch(which)));
    }

    private void classIndices() {
      for (final Spec.InputSpec input : spec.inputs()) {
        if (input.domain() != Domain.CLASS_INDEX
            && input.domain() != Domain.CLASS_INDEX_OR_SIMPLEX) {
          continue;
        }
        final Spec.Parameter ignored = spec.parameter("ignore_index").orElseThrow();
        want("ignored " + input.name(), c -> ignored(c, input, ignored) == 1);
        want("all ignored " + input.name(), c -> ignored(c, input, ignored) == 2);
      }
    }

    /** 0: no row, 1: some, 2: all. */
    private int ignored(ReferenceCase reference, Spec.InputSpec input, Spec.Parameter parameter) {
      final TensorEntry target = reference.inputs().get(input.name());
      if (target.dtype().isFloating() || target.numel() == 0) {
        return 0;
      }
      final long index = (Long) value(reference, parameter);
      final long[] all = target.toLongs();
      final long rows = Arrays.stream(all).filter(x -> x == index).count();
      return rows == 0 ? 0 : rows < all.length ? 1 : 2;
    }

    private void gradients() {
      for (final Spec.InputSpec input : spec.inputs()) {
        if (input.differentiable()) {
          want("a gradient of " + input.name(), c -> c.gradients().containsKey(input.name()));
        }
      }
      want("the float64 truth", c -> c.dtype() == DType.F32 && !c.gradients64().isEmpty());
      want("another upstream gradient", c -> c.upstream() != null);
      if (spec.twiceDifferentiable()) {
        want("double backward", c -> !c.secondGradients().isEmpty());
      }
      spec.parameter("reduction")
          .ifPresent(
              parameter -> {
                for (final Reduction reduction : spec.reductions()) {
                  want(
                      "another upstream gradient and double backward of " + reduction,
                      c ->
                          value(c, parameter) == reduction
                              && c.upstream() != null
                              && (!c.secondGradients().isEmpty() || !spec.twiceDifferentiable()));
                }
              });
    }

    private static Predicate<ReferenceCase> has(String input, Predicate<TensorEntry> which) {
      return c -> c.inputs().containsKey(input) && which.test(c.inputs().get(input));
    }
  }
}
