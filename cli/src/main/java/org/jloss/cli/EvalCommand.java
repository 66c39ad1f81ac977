package org.jloss.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jloss.ValueAndGradient;
import org.jloss.parity.DType;
import org.jloss.parity.ReferenceCase;
import org.jloss.parity.Safetensors;
import org.jloss.parity.TensorEntry;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Computes a loss of tensors in a file. */
@Command(
    name = "eval",
    description = "Computes value and gradients of a loss from a file of tensors.")
final class EvalCommand implements Callable<Integer> {
  private static final int MOST_SHOWN = 8;

  @picocli.CommandLine.Spec private CommandSpec command;

  @Parameters(paramLabel = "ID", description = "The loss, as jloss list names it.")
  private String id = "";

  @Option(
      names = "--in",
      required = true,
      paramLabel = "FILE",
      description =
          "A safetensors file, or one that torch.save wrote, with a tensor for each input of the"
              + " loss by its name.")
  private Path in = Path.of("");

  @Option(
      names = "--prefix",
      paramLabel = "TEXT",
      description = "What the tensors' names start with before the inputs' names.")
  private String prefix = "";

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description = "A parameter; may be repeated. Lists as 1,2,3; none where it may be left out.")
  private Map<String, String> settings = Map.of();

  @Option(names = "--grad", description = "Print the gradients too.")
  private boolean grad;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Write a safetensors file with value and grad/INPUT.")
  private @Nullable Path out;

  @Option(names = "--json", description = "Print JSON (see docs/cli.md).")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    final Object system = Values.system(id, settings);
    final Map<String, TensorEntry> inputs = inputs(Losses.spec(id));
    final Map<String, TensorEntry> results = evaluate(system, inputs);
    if (out != null) {
      TensorFiles.makeFolderOf(out);
      Safetensors.write(out, results, metadata(system));
    }
    if (!grad) {
      results.keySet().removeIf(name -> name.startsWith(ReferenceCase.GRADIENT));
    }
    final PrintWriter printer = command.commandLine().getOut();
    if (json) {
      printer.print(Values.print(describe(system, results)));
    } else {
      results.forEach((name, entry) -> printer.println(name + "  " + entry + "  " + text(entry)));
    }
    return Main.HELD;
  }

  private Map<String, TensorEntry> inputs(Spec spec) throws IOException {
    final Map<String, TensorEntry> all = TensorFiles.read(in);
    final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    all.forEach(
        (name, entry) -> {
          if (name.startsWith(prefix)) {
            tensors.put(name.substring(prefix.length()), entry);
          }
        });
    for (final Spec.InputSpec input : spec.inputs()) {
      if (!input.optional() && !tensors.containsKey(input.name())) {
        throw new Refusal(
            in
                + ": expected a tensor '"
                + prefix
                + input.name()
                + "', got "
                + (tensors.isEmpty() ? "none" : some(tensors))
                + otherPrefix(spec, all.keySet()));
      }
    }
    for (final String name : tensors.keySet()) {
      if (spec.input(name).isEmpty()) {
        command
            .commandLine()
            .getErr()
            .println("jloss eval: note: " + id + " has no input '" + name + "', tensor not used");
      }
    }
    return tensors;
  }

  /** The first prefix by which the file has all that the loss requires. */
  private static String otherPrefix(Spec spec, Set<String> names) {
    final List<String> required =
        spec.inputs().stream().filter(i -> !i.optional()).map(Spec.InputSpec::name).toList();
    return names.stream()
        .filter(name -> name.endsWith(required.get(0)))
        .map(name -> name.substring(0, name.length() - required.get(0).length()))
        .filter(start -> required.stream().allMatch(input -> names.contains(start + input)))
        .findFirst()
        .map(start -> " (--prefix " + (start.isEmpty() ? "''" : start) + ")")
        .orElse("");
  }

  private static String some(Map<String, TensorEntry> tensors) {
    return tensors.keySet().stream()
            .limit(MOST_SHOWN)
            .map(name -> "'" + name + "'")
            .collect(Collectors.joining(", "))
        + (tensors.size() > MOST_SHOWN ? ", ..." : "");
  }

  /** Value and gradients by the names that reference files have. */
  private Map<String, TensorEntry> evaluate(Object system, Map<String, TensorEntry> inputs) {
    final Map<String, TensorEntry> results = new LinkedHashMap<>();
    final List<Spec.InputSpec> specs = Losses.spec(id).inputs();
    try (PointerScope scope = new PointerScope()) {
      final Tensor[] tensors =
          specs.stream()
              .map(input -> inputs.get(input.name()))
              .map(entry -> entry == null ? null : entry.toTensor())
              .toArray(Tensor[]::new);
      if (system instanceof Miner miner) {
        miner
            .mine(tensors)
            .tensors()
            .forEach((name, t) -> results.put(ReferenceCase.OUTPUT + name, TensorEntry.of(t)));
        return results;
      }
      final ValueAndGradient result = ((Loss) system).valueAndGradient(tensors);
      results.put(ReferenceCase.VALUE, TensorEntry.of(result.value()));
      for (int i = 0; i < tensors.length; i++) {
        final Tensor gradient = result.gradient(i);
        if (gradient != null) {
          results.put(ReferenceCase.GRADIENT + specs.get(i).name(), TensorEntry.of(gradient));
        }
      }
    }
    return results;
  }

  private Map<String, String> metadata(Object system) {
    final Map<String, String> texts = new LinkedHashMap<>();
    texts.put("loss", id);
    for (final Spec.Parameter parameter : Losses.spec(id).parameters()) {
      texts.put(parameter.name(), Values.text(Losses.value(system, parameter)));
    }
    return texts;
  }

  private ObjectNode describe(Object system, Map<String, TensorEntry> results) {
    final ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("loss", id);
    final ObjectNode parameters = root.putObject("parameters");
    for (final Spec.Parameter parameter : Losses.spec(id).parameters()) {
      parameters.set(parameter.name(), Values.json(Losses.value(system, parameter)));
    }
    final ObjectNode tensors = root.putObject("results");
    results.forEach(
        (name, entry) -> {
          final ObjectNode tensor = tensors.putObject(name);
          tensor.put("dtype", entry.dtype().torchName());
          final ArrayNode shape = tensor.putArray("shape");
          for (final long size : entry.shape()) {
            shape.add(size);
          }
          final ArrayNode data = tensor.putArray("data");
          if (entry.dtype().isFloating()) {
            Arrays.stream(entry.toDoubles()).mapToObj(Values::json).forEach(data::add);
          } else {
            Arrays.stream(entry.toLongs()).forEach(data::add);
          }
        });
    return root;
  }

  /** The first elements, with the digits that their dtype has. */
  private static String text(TensorEntry entry) {
    final String shown =
        IntStream.range(0, (int) Math.min(entry.numel(), MOST_SHOWN))
            .mapToObj(element(entry))
            .collect(Collectors.joining(", "));
    if (entry.shape().length == 0) {
      return shown;
    }
    return "[" + shown + (entry.numel() > MOST_SHOWN ? ", ..." : "") + "]";
  }

  private static IntFunction<String> element(TensorEntry entry) {
    if (!entry.dtype().isFloating()) {
      final long[] values = entry.toLongs();
      return i -> Long.toString(values[i]);
    }
    final double[] values = entry.toDoubles();
    return entry.dtype() == DType.F64
        ? i -> Double.toString(values[i])
        : i -> Float.toString((float) values[i]);
  }
}
