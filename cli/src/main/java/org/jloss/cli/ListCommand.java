package org.jloss.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jloss.ClassWeights;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Miner;
import org.jloss.Numbers;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jloss.annotation.Stateful;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints the catalogue of what is there. */
@Command(name = "list", description = "Lists the losses, or tells all about some.")
final class ListCommand implements Callable<Integer> {
  @picocli.CommandLine.Spec private CommandSpec spec;

  @Parameters(paramLabel = "ID", arity = "0..*", description = "Losses to tell all about.")
  private List<String> ids = List.of();

  @Option(names = "--json", description = "Print JSON (see docs/cli.md).")
  private boolean json;

  @Override
  public Integer call() {
    final PrintWriter out = spec.commandLine().getOut();
    final Collection<Spec> specs =
        ids.isEmpty() ? Losses.all() : ids.stream().map(Losses::spec).toList();
    if (json) {
      final ObjectNode root = JsonNodeFactory.instance.objectNode();
      final ArrayNode losses = root.putArray("losses");
      specs.forEach(s -> describe(s, losses.addObject()));
      out.print(Values.print(root));
    } else if (ids.isEmpty()) {
      table(specs, out);
    } else {
      specs.forEach(s -> describe(s, out));
    }
    return Main.HELD;
  }

  private static void table(Collection<Spec> specs, PrintWriter out) {
    final List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"name", "kind", "family", "tensors", "parameters"});
    for (final Spec spec : specs) {
      final @Nullable Object defaults = defaults(spec);
      rows.add(
          new String[] {
            spec.id(),
            kind(spec),
            spec.family(),
            spec.inputs().stream()
                .map(i -> i.optional() ? "[" + i.name() + "]" : i.name())
                .collect(Collectors.joining(" ")),
            spec.parameters().stream()
                .map(p -> setting(p, defaults))
                .collect(Collectors.joining(" "))
          });
    }
    final int[] widths = new int[4];
    for (final String[] row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    final String format =
        Arrays.stream(widths).mapToObj(w -> "%-" + w + "s  ").collect(Collectors.joining()) + "%s";
    rows.forEach(row -> out.println(String.format(format, (Object[]) row).stripTrailing()));
  }

  private static void describe(Spec spec, PrintWriter out) {
    final @Nullable Object defaults = defaults(spec);
    out.println(
        spec.id() + " (" + kind(spec) + ", " + spec.family() + ", " + spec.type().getName() + ")");
    out.println("  " + spec.formula());
    out.println("  source: " + spec.source());
    out.println("  tensors:");
    for (final Spec.InputSpec input : spec.inputs()) {
      out.println(
          "    "
              + input.name()
              + " ("
              + input.shape()
              + ") "
              + name(input.domain())
              + (input.differentiable() ? ", differentiable" : "")
              + (input.broadcasts() ? ", broadcast" : "")
              + (input.optional() ? ", optional" : ""));
    }
    if (!spec.parameters().isEmpty()) {
      out.println("  parameters:");
    }
    for (final Spec.Parameter parameter : spec.parameters()) {
      out.println(
          "    "
              + setting(parameter, defaults)
              + "  ("
              + legal(spec, parameter)
              + (parameter.nullable() ? ", or none" : "")
              + ")");
    }
  }

  private static String setting(Spec.Parameter parameter, @Nullable Object defaults) {
    return parameter.name()
        + (defaults == null ? "" : "=" + Values.text(Losses.value(defaults, parameter)));
  }

  private static String legal(Spec spec, Spec.Parameter parameter) {
    if (parameter.type().isEnum()) {
      return String.join(", ", choices(spec, parameter));
    }
    final String type = type(parameter) + (parameter.list() ? ", or a list" : "");
    final String range = parameter.range();
    return range.equals("a number") ? type : type + " " + range;
  }

  private static List<String> choices(Spec spec, Spec.Parameter parameter) {
    final Stream<?> legal =
        parameter.type() == Reduction.class
            ? spec.reductions().stream()
            : Stream.of(parameter.type().getEnumConstants());
    return legal.map(ListCommand::name).toList();
  }

  private static String type(Spec.Parameter parameter) {
    final Class<?> type = parameter.type();
    if (type == double.class || type == Double.class) {
      return "float";
    }
    if (type == long.class || type == Long.class || type == int.class || type == Integer.class) {
      return "int";
    }
    if (type == boolean.class || type == Boolean.class) {
      return "bool";
    }
    if (type == ClassWeights.class || type == Numbers.class) {
      return "floats";
    }
    return type.isEnum() ? "choice" : type.getSimpleName();
  }

  private static String name(Object constant) {
    return constant.toString().toLowerCase(Locale.ROOT);
  }

  /** The parameters' defaults; null where one has none. */
  private static @Nullable Object defaults(Spec spec) {
    final Stateful stateful = spec.type().getAnnotation(Stateful.class);
    try {
      // A memory itself would be allocated.
      return (stateful == null ? spec.type() : stateful.options()).getConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  private static String kind(Spec spec) {
    if (Loss.class.isAssignableFrom(spec.type())) {
      return "loss";
    }
    return Miner.class.isAssignableFrom(spec.type()) ? "miner" : "memory";
  }

  private static void describe(Spec spec, ObjectNode node) {
    final @Nullable Object defaults = defaults(spec);
    node.put("id", spec.id());
    node.put("family", spec.family());
    node.put("class", spec.type().getName());
    node.put("kind", kind(spec));
    node.put("formula", spec.formula());
    node.put("source", spec.source());
    node.put("twice_differentiable", spec.twiceDifferentiable());
    final ArrayNode inputs = node.putArray("inputs");
    for (final Spec.InputSpec input : spec.inputs()) {
      inputs
          .addObject()
          .put("name", input.name())
          .put("shape", input.shape())
          .put("domain", name(input.domain()))
          .put("differentiable", input.differentiable())
          .put("optional", input.optional())
          .put("broadcasts", input.broadcasts());
    }
    final ArrayNode parameters = node.putArray("parameters");
    for (final Spec.Parameter parameter : spec.parameters()) {
      final ObjectNode fields = parameters.addObject();
      fields.put("name", parameter.name());
      fields.put("type", type(parameter));
      fields.put("list", parameter.list());
      fields.put("nullable", parameter.nullable());
      if (defaults != null) {
        fields.set("default", Values.json(Losses.value(defaults, parameter)));
      }
      if (parameter.type().isEnum()) {
        final ArrayNode choices = fields.putArray("choices");
        choices(spec, parameter).forEach(choices::add);
      } else {
        fields.set("min", Values.json(parameter.min()));
        fields.set("max", Values.json(parameter.max()));
        fields.put("open_min", parameter.openMin());
        fields.put("open_max", parameter.openMax());
      }
    }
  }
}
