package org.jloss.python;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.Value;
import org.jloss.Errors;
import org.jloss.Tensors;
import org.jloss.binding.Native;
import org.jspecify.annotations.Nullable;

/**
 * Operators of libtorch that trust their arguments and are therefore closed to scripts: here they
 * are checked before they are called.
 */
public final class CheckedOps {
  /** Steps of optimisers over lists of tensors, by the names that scripts use. */
  private static final Map<String, String> STEPS =
      Map.of(
          "sgd", "aten::_fused_sgd_",
          "adam", "aten::_fused_adam_",
          "adamw", "aten::_fused_adamw_",
          "adagrad", "aten::_fused_adagrad_");

  /** How many gates a unit of each recurrent network has. */
  private static final Map<String, Long> GATES =
      Map.of("RNN_TANH", 1L, "RNN_RELU", 1L, "GRU", 3L, "LSTM", 4L);

  private static final String COUNTS = "state_steps";

  private static final Map<String, Schema> SCHEMAS = new ConcurrentHashMap<>();

  private final TensorPool pool;

  CheckedOps(TensorPool pool) {
    this.pool = pool;
  }

  /** ATen's loss of sequences; the lengths are lists of numbers. */
  @HostAccess.Export
  public PyTensor ctcLoss(
      PyTensor logProbs,
      PyTensor targets,
      Value inputLengths,
      Value targetLengths,
      long blank,
      long reduction,
      boolean zeroInfinity) {
    return Guard.run(
        () ->
            ctcLoss(
                logProbs,
                targets,
                lengths("input_lengths", Args.list(inputLengths)),
                lengths("target_lengths", Args.list(targetLengths)),
                blank,
                reduction,
                zeroInfinity));
  }

  /**
   * A recurrent network, which takes it for granted that states and parameters have the shapes that
   * belong to its input.
   *
   * @param kind RNN_TANH, RNN_RELU, GRU or LSTM
   * @param input (time, batch, features), or (batch, time, features) where batchFirst; of packed
   *     sequences (elements, features)
   * @param batchSizes of packed sequences how many there are at each time; otherwise empty
   * @param states the hidden state, and the cell's for an LSTM
   * @param parameters of each layer and direction, in PyTorch's order
   * @return the output and the states after it
   */
  @HostAccess.Export
  public PyTensor[] rnn(
      String kind,
      PyTensor input,
      Value batchSizes,
      Value states,
      Value parameters,
      boolean bias,
      long layers,
      double dropout,
      boolean train,
      boolean bidirectional,
      boolean batchFirst) {
    return Guard.run(
        () -> {
          final List<PyTensor> hx = tensors(kind, Args.list(states));
          final List<PyTensor> weights = tensors(kind, Args.list(parameters));
          final List<?> sizes = Args.list(batchSizes);
          final long batch = batch(kind, input, sizes, batchFirst);
          checkNetwork(kind, input, batch, hx, weights, bias, layers, bidirectional);
          final boolean packed = !sizes.isEmpty();
          final List<Object> arguments = new ArrayList<>();
          arguments.add(input);
          if (packed) {
            arguments.add(
                pool.own(Tensors.of(sizes.stream().mapToLong(size -> (Long) size).toArray())));
          }
          arguments.add(kind.equals("LSTM") ? hx : hx.get(0));
          arguments.addAll(List.of(weights, bias, layers, dropout, train, bidirectional));
          if (!packed) {
            arguments.add(batchFirst);
          }
          final Object[] found =
              (Object[])
                  Objects.requireNonNull(
                      new NativeOps(pool)
                          .call(
                              kind.toLowerCase(Locale.ROOT) + (packed ? ".data" : ".input"),
                              arguments.toArray()));
          return Arrays.copyOf(found, found.length, PyTensor[].class);
        });
  }

  private static List<PyTensor> tensors(String name, List<?> values) {
    final List<PyTensor> tensors = new ArrayList<>();
    for (final Object value : values) {
      if (!(value instanceof PyTensor tensor)) {
        throw new PyError("TypeError", name + ": expected a tensor, got a " + Args.typeName(value));
      }
      tensors.add(tensor);
    }
    return tensors;
  }

  /** How many sequences there are. */
  private static long batch(String kind, PyTensor input, List<?> sizes, boolean batchFirst) {
    if (input.dim() != (sizes.isEmpty() ? 3 : 2)) {
      throw new PyError(
          "RuntimeError",
          kind
              + ": expected an input of three axes, or of two with sizes, got shape "
              + Arrays.toString(input.shape()));
    }
    if (sizes.isEmpty()) {
      return input.shape()[batchFirst ? 0 : 1];
    }
    long left = input.shape()[0];
    long before = left;
    for (final Object given : sizes) {
      if (!(given instanceof Long size) || size < 1 || size > before || size > left) {
        throw badSizes(kind, input, sizes);
      }
      before = size;
      left -= size;
    }
    if (left != 0) {
      throw badSizes(kind, input, sizes);
    }
    return (Long) sizes.get(0);
  }

  private static PyError badSizes(String kind, PyTensor input, List<?> sizes) {
    return new PyError(
        "RuntimeError",
        kind
            + ": expected batch_sizes that do not grow and add up to the input's "
            + input.shape()[0]
            + " elements, got "
            + sizes);
  }

  private static void checkNetwork(
      String kind,
      PyTensor input,
      long batch,
      List<PyTensor> states,
      List<PyTensor> parameters,
      boolean bias,
      long layers,
      boolean bidirectional) {
    final Long gates = GATES.get(kind);
    if (gates == null) {
      throw new PyError("ValueError", "there is no recurrent network " + kind);
    }
    final int stateCount = kind.equals("LSTM") ? 2 : 1;
    final long directions = bidirectional ? 2 : 1;
    if (states.size() != stateCount
        || states.stream().anyMatch(s -> s.dim() != 3)
        || layers < 1
        || layers > parameters.size()) {
      throw new PyError(
          "RuntimeError",
          kind + ": expected " + stateCount + " states of three axes, and 1 layer at least");
    }
    final long output = states.get(0).shape()[2];
    final long hidden = states.get(stateCount - 1).shape()[2];
    final boolean projects = output != hidden;
    final List<long[]> wanted = new ArrayList<>();
    for (int i = 0; i < stateCount; i++) {
      wanted.add(new long[] {layers * directions, batch, i == 0 ? output : hidden});
    }
    for (long layer = 0; layer < layers; layer++) {
      final long width = layer == 0 ? input.shape()[(int) input.dim() - 1] : output * directions;
      for (long direction = 0; direction < directions; direction++) {
        wanted.add(new long[] {gates * hidden, width});
        wanted.add(new long[] {gates * hidden, output});
        if (bias) {
          wanted.add(new long[] {gates * hidden});
          wanted.add(new long[] {gates * hidden});
        }
        if (projects) {
          wanted.add(new long[] {output, hidden});
        }
      }
    }
    final List<PyTensor> given = new ArrayList<>(states);
    given.addAll(parameters);
    if (given.size() != wanted.size()) {
      throw new PyError(
          "RuntimeError",
          String.format(
              "%s: expected %d parameters, got %d",
              kind, wanted.size() - stateCount, parameters.size()));
    }
    final Tensor like = input.tensor();
    for (int i = 0; i < given.size(); i++) {
      final Tensor tensor = given.get(i).tensor();
      if (!Arrays.equals(tensor.shape(), wanted.get(i))
          || tensor.scalar_type().intern() != like.scalar_type().intern()
          || !tensor.is_cpu()
          || !tensor.is_floating_point()) {
        throw new PyError(
            "RuntimeError",
            String.format(
                "%s: expected %s %d of shape %s in the input's dtype, got %s of shape %s",
                kind,
                i < stateCount ? "state" : "parameter",
                i < stateCount ? i : i - stateCount,
                Arrays.toString(wanted.get(i)),
                tensor.scalar_type(),
                Arrays.toString(tensor.shape())));
      }
    }
  }

  /** A step of an optimiser over lists of tensors, see {@link #step(String, List, Map)}. */
  @HostAccess.Export
  public void step(String name, Value lists, Value names, Value values) {
    Guard.run(
        () -> {
          step(name, Args.list(lists), Host.keywords(names, values));
          return null;
        });
  }

  /** ATen's loss, which reads its tables at targets and lengths that it has not checked. */
  private PyTensor ctcLoss(
      PyTensor logProbs,
      PyTensor targets,
      long[] inputs,
      long[] labels,
      long blank,
      long reduction,
      boolean zeroInfinity) {
    final long[] shape = logProbs.shape();
    if (shape.length != 2 && shape.length != 3 || !logProbs.tensor().is_floating_point()) {
      throw invalid("log_probs must be floating point of shape (T, N, C) or (T, C)", logProbs);
    }
    final long batch = shape.length == 3 ? shape[1] : 1;
    final long classes = shape[shape.length - 1];
    if (inputs.length != batch || labels.length != batch) {
      throw new PyError(
          "RuntimeError",
          "ctc_loss: expected input_lengths and target_lengths for a batch of "
              + batch
              + ", got "
              + inputs.length
              + " and "
              + labels.length);
    }
    if (blank < 0 || blank >= classes) {
      throw new PyError("RuntimeError", "blank must be in label range");
    }
    for (final long length : inputs) {
      if (length > shape[0]) {
        throw new PyError(
            "RuntimeError",
            "Expected input_lengths to have value at most "
                + shape[0]
                + ", but got value "
                + length
                + " (while checking arguments for ctc_loss_allocate_outputs)");
      }
    }
    if (targets.dim() < 1 || targets.dim() > 2 || targets.tensor().is_floating_point()) {
      throw invalid("targets must hold integers in one or two axes", targets);
    }
    final long[] sizes = targets.shape();
    final long most = Arrays.stream(labels).max().orElse(0);
    final boolean fits =
        sizes.length == 1
            ? sizes[0] == Arrays.stream(labels).sum()
            : sizes[0] == batch && sizes[1] >= most;
    if (!fits) {
      throw invalid("targets must hold target_lengths=" + Arrays.toString(labels), targets);
    }
    for (final long label : Tensors.toLongs(targets.tensor())) {
      if (label < 0 || label >= classes) {
        throw new PyError(
            "IndexError", "ctc_loss: expected targets in [0, " + classes + "), got " + label);
      }
    }
    return pool.allocate(
        () -> {
          // The backward pass reads the targets again: scripts must not reach these.
          try (Tensor kept = targets.tensor().clone()) {
            return pool.own(
                torch.ctc_loss(
                    logProbs.tensor(), kept, inputs, labels, blank, reduction, zeroInfinity));
          } catch (RuntimeException e) {
            throw Errors.translate(e);
          }
        });
  }

  private static long[] lengths(String name, List<?> values) {
    final long[] lengths = new long[values.size()];
    for (int i = 0; i < lengths.length; i++) {
      if (!(values.get(i) instanceof Long length)) {
        throw new PyError(
            "TypeError",
            "ctc_loss: expected integers for " + name + ", got a " + Args.typeName(values.get(i)));
      }
      if (length < 0 || length > Integer.MAX_VALUE) {
        throw new PyError(
            "RuntimeError", "ctc_loss: expected " + name + " not to be negative, got " + length);
      }
      lengths[i] = length;
    }
    return lengths;
  }

  private static PyError invalid(String what, PyTensor got) {
    return new PyError(
        "RuntimeError", "ctc_loss: " + what + ", got shape " + Arrays.toString(got.shape()));
  }

  /**
   * One step of an optimiser by libtorch's own fused kernel, which takes it for granted that the
   * lists hold tensors of the same shapes, dtypes and layout.
   *
   * @param name sgd, adam, adamw or adagrad
   * @param lists the lists of tensors in the order of the operator's; the last is the step counts
   *     where the kernel has them; an empty list where it takes one
   * @param options the numbers by their names in the schema
   */
  private void step(String name, List<?> lists, Map<String, @Nullable Object> options) {
    final String operator = STEPS.get(name);
    if (operator == null) {
      throw new PyError("ValueError", "there is no step of an optimiser " + name);
    }
    pool.load();
    final Schema schema = SCHEMAS.computeIfAbsent(operator, CheckedOps::find);
    try (PointerScope scope = new PointerScope()) {
      final TensorVector tensors = new TensorVector();
      final List<Long> code = new ArrayList<>();
      // The kernel knows no strides: it works on copies of what is not contiguous.
      final Map<Tensor, Tensor> copies = new LinkedHashMap<>();
      final List<Tensor> counts = new ArrayList<>();
      int list = 0;
      for (final Schema.Argument argument : schema.arguments()) {
        if (argument.kind() == Schema.Kind.TENSORS) {
          if (list >= lists.size()) {
            throw new PyError("ValueError", name + ": a list of tensors is missing");
          }
          final List<?> given = (List<?>) lists.get(list++);
          if (!given.isEmpty() || isNeeded(argument.name(), options)) {
            check(name, argument.name(), given, (List<?>) lists.get(0));
          }
          code.add((long) NativeOps.TENSORS);
          code.add((long) given.size());
          for (final Object element : given) {
            final Tensor tensor = ((PyTensor) element).tensor();
            if (argument.name().equals(COUNTS)) {
              counts.add(tensor);
            }
            if (!tensor.is_contiguous()) {
              copies.put(tensor, tensor.contiguous());
            }
            tensors.push_back(copies.getOrDefault(tensor, tensor));
          }
        } else if (options.get(argument.name()) instanceof Boolean bool) {
          code.add((long) NativeOps.BOOL);
          code.add(bool ? 1L : 0L);
        } else if (options.get(argument.name()) instanceof Number number) {
          code.add((long) NativeOps.DOUBLE);
          code.add(Double.doubleToRawLongBits(number.doubleValue()));
        } else {
          code.add((long) NativeOps.DEFAULT);
        }
      }
      pool.makeRoom();
      counts.forEach(count -> count.add_(new Scalar(1)));
      Native.call(schema.number(), code.stream().mapToLong(Long::longValue).toArray(), tensors);
      copies.forEach(Tensor::copy_);
    } catch (PyError e) {
      throw e;
    } catch (RuntimeException e) {
      throw Errors.translate(e);
    } finally {
      java.lang.ref.Reference.reachabilityFence(lists);
    }
  }

  private static Schema find(String operator) {
    return Native.overloads(operator)
        .lines()
        .map(Schema::parse)
        .filter(s -> s != null && s.arguments().stream().anyMatch(a -> isPlainRate(a)))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(operator + " is not in this libtorch"));
  }

  /** There is a second overload whose learning rate is a tensor. */
  private static boolean isPlainRate(Schema.Argument argument) {
    return argument.name().equals("lr") && argument.kind() == Schema.Kind.FLOAT;
  }

  /** Two lists are left empty where the options say that they are not used. */
  private static boolean isNeeded(String list, Map<String, @Nullable Object> options) {
    return switch (list) {
      case "momentum_buffer_list" ->
          !(options.get("momentum") instanceof Number number) || number.doubleValue() != 0;
      case "max_exp_avg_sqs" -> !Boolean.FALSE.equals(options.get("amsgrad"));
      default -> true;
    };
  }

  private static void check(String optimiser, String name, List<?> given, List<?> parameters) {
    final boolean counts = name.equals(COUNTS);
    if (given.size() != parameters.size()) {
      throw new PyError(
          "RuntimeError",
          optimiser
              + ": expected "
              + parameters.size()
              + " tensors in "
              + name
              + ", got "
              + given.size());
    }
    for (int i = 0; i < given.size(); i++) {
      if (!(given.get(i) instanceof PyTensor tensor)
          || !(parameters.get(i) instanceof PyTensor like)) {
        throw new PyError("TypeError", optimiser + ": expected tensors in " + name);
      }
      final Tensor a = tensor.tensor();
      final boolean sound =
          counts
              ? a.numel() == 1 && a.scalar_type().intern() == torch.ScalarType.Float && a.is_cpu()
              : a.is_cpu()
                  && a.is_floating_point()
                  && a.scalar_type().intern() == like.tensor().scalar_type().intern()
                  && Arrays.equals(a.shape(), like.shape());
      if (!sound) {
        throw new PyError(
            "RuntimeError",
            String.format(
                "%s: expected %s[%d] to be %s, got %s of shape %s",
                optimiser,
                name,
                i,
                counts
                    ? "one float32 number"
                    : like.tensor().scalar_type() + " of shape " + Arrays.toString(like.shape()),
                a.scalar_type(),
                Arrays.toString(a.shape())));
      }
    }
  }
}
