package org.jloss.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jloss.ClassWeights;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.Tensors;
import org.jloss.ValueAndGradient;
import org.jloss.annotation.Domain;
import org.jspecify.annotations.Nullable;

/**
 * A loss over one number, with its derivative.
 *
 * <p>What the number is follows from what the loss's tensors mean: a prediction, one logit, the
 * probability in a region, the distance of a pair, the offset of a box. The rest is held still.
 *
 * @param axis what the number is
 * @param curves one a representative target
 */
record Curves(String axis, List<Curve> curves) {
  private static final int POINTS = 241;
  private static final int CLASSES = 3;
  private static final int PIXELS = 16;
  private static final int DIMENSIONS = 8;

  /** Where a positive rests, and where a negative does. */
  private static final double[] REST = {0.6, 1.4};

  /**
   * One line.
   *
   * @param label the target
   * @param x the number
   * @param value the loss there; not a number where it is not finite
   * @param slope its derivative there
   */
  record Curve(String label, double[] x, double[] value, double[] slope) {}

  /**
   * The tensors at one x: data and its derivative by x, null where it does not move.
   *
   * @param data the elements; null for an input left out
   * @param shape the sizes
   * @param slope their derivatives by x
   */
  private record Part(double[] data, long[] shape, double @Nullable [] slope) {}

  /** What each input is at an x; null for one left out. */
  @FunctionalInterface
  private interface Scene {
    @Nullable Part at(double x, int input);
  }

  /** The curves of a loss. */
  static Curves of(Loss loss) {
    return new Sampler(loss).sample();
  }

  private static final class Sampler {
    private final Loss loss;
    private final List<Spec.InputSpec> inputs;
    private final List<Curve> curves = new ArrayList<>();
    private int classes = 1;
    private int pixels;

    Sampler(Loss loss) {
      this.loss = loss;
      inputs = loss.spec().inputs();
    }

    Curves sample() {
      final Spec.InputSpec first = inputs.get(0);
      return switch (first.domain()) {
        case EMBEDDING -> find(1, Domain.LABEL) > 0 ? labelled() : tuple();
        case BOX_XYXY -> box();
        case LOGITS, LOG_PROBABILITY, SIMPLEX, REAL, PROBABILITY -> {
          final boolean hasClasses = first.shape().contains("C");
          final int target = target(0);
          final boolean choosesClass =
              target >= 0
                  && switch (inputs.get(target).domain()) {
                    case CLASS_INDEX, CLASS_INDEX_OR_SIMPLEX, SIMPLEX -> true;
                    default -> false;
                  };
          if (hasClasses && first.domain() == Domain.PROBABILITY) {
            yield region(target);
          }
          yield hasClasses && choosesClass ? oneLogit(target) : pointwise();
        }
        default -> pointwise();
      };
    }

    /** An element against targets. */
    private Curves pointwise() {
      // Losses that are fused: over what is learned, not over the losses.
      final int moved = inputs.get(0).shape().equals("T") ? lastDifferentiable() : 0;
      final int target = target(moved);
      final double[] values = target < 0 ? new double[1] : targets(moved, target);
      for (final double t : values) {
        add(
            target < 0 ? "" : inputs.get(target).name() + " = " + Values.text(t),
            range(moved),
            (x, i) -> {
              if (i == moved) {
                return filled(i, x, 1);
              }
              return i == target ? filled(i, t, 0) : still(i);
            });
      }
      return curves(inputs.get(moved).name());
    }

    /** One of several logits against the class of a target. */
    private Curves oneLogit(int target) {
      classes = weightedClasses(CLASSES);
      final boolean isIndex = inputs.get(target).domain() != Domain.SIMPLEX;
      for (int chosen = 0; chosen < 2; chosen++) {
        final double[] simplex = new double[classes];
        simplex[chosen] = 1;
        final Part answer =
            isIndex
                ? new Part(new double[] {chosen}, indexShape(target), null)
                : new Part(simplex, shape(target), null);
        add(
            "target is class " + chosen,
            range(0),
            (x, i) -> {
              if (i == 0) {
                final double[] data = new double[classes];
                final double[] slope = new double[classes];
                data[0] = x;
                slope[0] = 1;
                return new Part(data, shape(0), slope);
              }
              return i == target ? answer : still(i);
            });
      }
      return curves(inputs.get(0).name() + " of class 0 (the others 0)");
    }

    /** An index has the first input's shape without the classes. */
    private long[] indexShape(int input) {
      return alternative(input).contains("C") ? new long[] {1} : shape(input);
    }

    /** All pixels of one half against a target of which one half is set. */
    private Curves region(int target) {
      classes = weightedClasses(1);
      pixels = PIXELS;
      final double[] object = new double[classes * PIXELS];
      for (int i = 0; i < object.length; i++) {
        object[i] = i % PIXELS < PIXELS / 2 ? 1 : 0;
      }
      for (final boolean inside : new boolean[] {true, false}) {
        add(
            inside ? "on the object, background 0" : "on the background, object 1",
            range(0),
            (x, i) -> {
              if (i != 0) {
                return i == target ? new Part(object, shape(0), null) : still(i);
              }
              final double[] data = new double[object.length];
              final double[] slope = new double[object.length];
              for (int k = 0; k < data.length; k++) {
                final boolean moves = (object[k] == 1) == inside;
                data[k] = moves ? x : object[k];
                slope[k] = moves ? 1 : 0;
              }
              return new Part(data, shape(0), slope);
            });
      }
      return curves("predicted probability, half of the pixels are object");
    }

    /** An anchor and others, on the unit sphere; one moves away from the anchor. */
    private Curves tuple() {
      final int sign = target(0);
      for (int k = 1; k < inputs.size(); k++) {
        if (inputs.get(k).domain() != Domain.EMBEDDING) {
          continue;
        }
        final int moved = k;
        for (final double t : sign < 0 ? new double[1] : targets(0, sign)) {
          add(
              sign < 0 ? moves(moved) : inputs.get(sign).name() + " = " + Values.text(t),
              range(0),
              (distance, i) -> {
                if (inputs.get(i).domain() != Domain.EMBEDDING) {
                  return i == sign ? filled(i, t, 0) : still(i);
                }
                if (i == moved) {
                  return vector(i, distance, true);
                }
                return vector(i, i == 0 ? 0 : rest(i), false);
              });
        }
      }
      return curves("distance from " + inputs.get(0).name() + ", unit vectors");
    }

    private static double rest(int input) {
      return REST[input < 2 ? 0 : 1];
    }

    private String moves(int moved) {
      final StringBuilder label = new StringBuilder(inputs.get(moved).name()).append(" moves");
      for (int i = 1; i < inputs.size(); i++) {
        if (i != moved && inputs.get(i).domain() == Domain.EMBEDDING) {
          label.append(", ").append(inputs.get(i).name()).append(" at ").append(rest(i));
        }
      }
      return label.toString();
    }

    /** An anchor, one of its class and one of another; one of them moves. */
    private Curves labelled() {
      final int labels = find(1, Domain.LABEL);
      for (final int moved : new int[] {1, 2}) {
        add(
            moved == 1
                ? "same class moves, other at " + REST[1]
                : "other class moves, same at " + REST[0],
            range(0),
            (distance, i) -> {
              if (i == labels) {
                return new Part(new double[] {0, 0, 1}, new long[] {3}, null);
              }
              if (i != 0) {
                return still(i);
              }
              final double[] data = new double[3 * DIMENSIONS];
              final double[] slope = new double[3 * DIMENSIONS];
              data[0] = 1;
              for (int row = 1; row < 3; row++) {
                final boolean moves = row == moved;
                place(data, slope, row, moves ? distance : REST[row - 1], moves);
              }
              return new Part(data, new long[] {3, DIMENSIONS}, slope);
            });
      }
      return curves("distance from an anchor, unit vectors");
    }

    private Curves box() {
      add(
          "",
          range(0),
          (x, i) ->
              i == 0
                  ? new Part(new double[] {x, 0, 1 + x, 1}, shape(0), new double[] {1, 0, 1, 0})
                  : still(i));
      return curves("offset of the box along x, in its widths");
    }

    private Curves curves(String axis) {
      return new Curves(axis, List.copyOf(curves));
    }

    private void add(String label, double[] range, Scene scene) {
      final double[] x = new double[POINTS];
      final double[] value = new double[POINTS];
      final double[] slope = new double[POINTS];
      for (int i = 0; i < POINTS; i++) {
        // Not evenly: the chart would take every nth point for a tick, and not round numbers.
        final double t = (double) i / (POINTS - 1);
        x[i] = range[0] + (range[1] - range[0]) * (t + 0.02 * Math.sin(2 * Math.PI * t));
        evaluate(scene, i, x[i], value, slope);
      }
      curves.add(new Curve(label, x, value, slope));
    }

    private void evaluate(Scene scene, int point, double x, double[] value, double[] slope) {
      try (PointerScope scope = new PointerScope()) {
        final Part[] parts = new Part[inputs.size()];
        final Tensor[] tensors = new Tensor[parts.length];
        for (int i = 0; i < parts.length; i++) {
          final Part part = scene.at(x, i);
          parts[i] = part;
          if (part != null) {
            tensors[i] = tensor(part, inputs.get(i).domain());
          }
        }
        final ValueAndGradient result = loss.valueAndGradient(tensors);
        value[point] = finite(Arrays.stream(Tensors.toDoubles(result.value())).sum());
        double sum = 0;
        for (int i = 0; i < parts.length; i++) {
          final Part part = parts[i];
          if (part != null && part.slope != null) {
            final Tensor gradient = result.gradient(i);
            sum += gradient == null ? Double.NaN : dot(Tensors.toDoubles(gradient), part.slope);
          }
        }
        slope[point] = finite(sum);
      }
    }

    private static Tensor tensor(Part part, Domain domain) {
      final boolean isIndex =
          domain == Domain.LABEL
              || domain == Domain.CLASS_INDEX
              // Distributions would have the classes as an axis.
              || domain == Domain.CLASS_INDEX_OR_SIMPLEX && part.data.length == 1;
      final Tensor tensor;
      if (isIndex) {
        tensor = Tensors.of(Arrays.stream(part.data).mapToLong(v -> (long) v).toArray());
      } else {
        tensor = Tensors.of(part.data);
      }
      final Tensor shaped = tensor.view(part.shape);
      return part.slope == null ? shaped : shaped.set_requires_grad(true);
    }

    private static double dot(double[] a, double[] b) {
      return IntStream.range(0, a.length).mapToDouble(i -> b[i] == 0 ? 0 : a[i] * b[i]).sum();
    }

    private static double finite(double x) {
      return Double.isFinite(x) ? x : Double.NaN;
    }

    /** An input that stands still at a usual value of its domain; null for an optional one. */
    private @Nullable Part still(int input) {
      final Spec.InputSpec spec = inputs.get(input);
      if (spec.optional()) {
        return null;
      }
      return switch (spec.domain()) {
        case EMBEDDING -> vector(input, rest(input), false);
        case BOX_XYXY -> new Part(new double[] {0, 0, 1, 1}, shape(input), null);
        default -> filled(input, usual(spec.domain()), 0);
      };
    }

    private Part filled(int input, double value, double slope) {
      final long[] shape = shape(input);
      final double[] data = new double[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
      Arrays.fill(data, value);
      final double[] slopes = new double[data.length];
      Arrays.fill(slopes, slope);
      return new Part(data, shape, slope == 0 ? null : slopes);
    }

    private double usual(Domain domain) {
      return switch (domain) {
        case PROBABILITY -> 0.5;
        case SIMPLEX -> 1.0 / classes;
        case LOG_PROBABILITY -> -Math.log(2);
        case SIGN, BINARY, WEIGHT -> 1;
        default -> 0;
      };
    }

    private Part vector(int input, double distance, boolean moves) {
      final long[] shape = shape(input);
      final double[] data = new double[DIMENSIONS];
      final double[] slope = new double[DIMENSIONS];
      if (distance == 0) {
        data[0] = 1;
      } else {
        // Each goes along an axis of its own.
        final double[] all = new double[2 * DIMENSIONS];
        final double[] slopes = new double[2 * DIMENSIONS];
        place(all, slopes, 1, distance, moves);
        data[0] = all[DIMENSIONS];
        slope[0] = slopes[DIMENSIONS];
        data[input] = all[DIMENSIONS + 1];
        slope[input] = slopes[DIMENSIONS + 1];
      }
      return new Part(data, shape, moves ? slope : null);
    }

    /** A unit vector at a distance from the first axis's, in a row of its own. */
    private static void place(
        double[] data, double[] slope, int row, double distance, boolean moves) {
      final int start = row * DIMENSIONS;
      final double rest = Math.sqrt(1 - distance * distance / 4);
      data[start] = 1 - distance * distance / 2;
      data[start + row] = distance * rest;
      if (moves) {
        slope[start] = -distance;
        slope[start + row] = rest - distance * distance / (4 * rest);
      }
    }

    private double[] range(int input) {
      return switch (inputs.get(input).domain()) {
        case LOGITS -> new double[] {-6, 6};
        case PROBABILITY, SIMPLEX, BINARY ->
            logits() ? new double[] {-6, 6} : new double[] {0.005, 0.995};
        case LOG_PROBABILITY -> new double[] {-6, -0.005};
        case EMBEDDING -> new double[] {0.005, 1.95};
        case BOX_XYXY -> new double[] {-2, 2};
        default -> new double[] {-3, 3};
      };
    }

    /** Whether a loss of probabilities has been set to take logits. */
    private boolean logits() {
      return loss.spec()
          .parameter("from_logits")
          .map(p -> Boolean.TRUE.equals(Losses.value(loss, p)))
          .orElse(false);
    }

    private double[] targets(int moved, int target) {
      return switch (inputs.get(target).domain()) {
        case BINARY -> new double[] {0, 1};
        case SIGN -> new double[] {-1, 1};
        case PROBABILITY, SIMPLEX ->
            inputs.get(moved).domain() == Domain.LOG_PROBABILITY
                ? new double[] {0.1, 0.5, 0.9}
                : new double[] {0, 0.5, 1};
        case LOG_PROBABILITY -> new double[] {-3, -1, -0.1};
        default ->
            inputs.get(moved).domain() != Domain.REAL
                ? new double[] {0, 1}
                : inputs.get(0).shape().equals("T") ? new double[] {0.5, 1, 2} : new double[] {0};
      };
    }

    private int find(int from, Domain domain) {
      return IntStream.range(from, inputs.size())
          .filter(i -> inputs.get(i).domain() == domain)
          .findFirst()
          .orElse(-1);
    }

    /** The first input besides the moved one that must be given. */
    private int target(int moved) {
      return IntStream.range(0, inputs.size())
          .filter(i -> i != moved && !inputs.get(i).optional())
          .filter(i -> inputs.get(i).domain() != Domain.WEIGHT)
          .filter(
              i ->
                  moved != 0
                      || inputs.get(0).domain() != Domain.EMBEDDING
                      || inputs.get(i).domain() != Domain.EMBEDDING)
          .findFirst()
          .orElse(-1);
    }

    private int lastDifferentiable() {
      return IntStream.range(0, inputs.size())
          .filter(i -> inputs.get(i).differentiable())
          .max()
          .orElse(0);
    }

    /** As many classes as the loss has weights for. */
    private int weightedClasses(int otherwise) {
      return loss.spec().parameters().stream()
          .map(p -> Losses.value(loss, p))
          .filter(v -> v instanceof ClassWeights weights && !weights.isScalar())
          .map(v -> Math.max(2, ((ClassWeights) v).size()))
          .findFirst()
          .orElse(otherwise);
    }

    private String alternative(int input) {
      return inputs.get(input).shape().split("\\|")[0].strip();
    }

    private long[] shape(int input) {
      final String shape = alternative(input);
      if (shape.equals("()")) {
        return new long[0];
      }
      if (shape.equals("*")) {
        return new long[] {1};
      }
      final List<Long> sizes = new ArrayList<>();
      for (final String axis : shape.split(",")) {
        switch (axis.strip()) {
          case "*" -> {
            if (pixels > 0) {
              sizes.add((long) pixels);
            }
          }
          case "C" -> sizes.add((long) classes);
          case "D" -> sizes.add((long) DIMENSIONS);
          case "4" -> sizes.add(4L);
          default -> sizes.add(1L);
        }
      }
      return sizes.stream().mapToLong(Long::longValue).toArray();
    }
  }
}
