package org.jloss.python;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** Writes the Python package's type stubs from the registry; the build calls it. */
public final class Stubs {
  private Stubs() {}

  private static final String HEAD =
      """
      # Made by the build from the Java records.
      from collections.abc import Sequence
      from typing import Any

      """;

  /**
   * Writes {@code __init__.pyi} and {@code functional.pyi}.
   *
   * @param arguments the package's folder
   */
  public static void main(String[] arguments) throws IOException {
    final Path folder = Files.createDirectories(Path.of(arguments[0]));
    Files.writeString(folder.resolve("__init__.pyi"), classes());
    Files.writeString(folder.resolve("functional.pyi"), functions());
  }

  /** The stub of the package: a class a system. */
  static String classes() {
    final StringBuilder text = new StringBuilder(HEAD);
    text.append(
        """
        from . import functional as functional
        from ._losses import Loss as Loss, Memory as Memory, Miner as Miner
        from ._losses import Pairs as Pairs, Triplets as Triplets, loss as loss
        from ._tensor import Tensor as Tensor, enable_grad as enable_grad, no_grad as no_grad
        from ._tensor import manual_seed as manual_seed, tensor as tensor

        # Operators of libtorch and torch.nn's spellings of the losses.
        def __getattr__(name: str) -> Any: ...
        """);
    for (final Spec spec : Losses.all()) {
      final String name = spec.type().getSimpleName();
      final String kind = LossSpecs.kind(spec);
      if (kind.equals("memory")) {
        text.append("\nclass %s(Memory):\n".formatted(name))
            .append("    def __init__(self%s) -> None: ...\n".formatted(parameters(spec, ", ")));
        continue;
      }
      final boolean loss = kind.equals("loss");
      final String tensors = tensors(spec);
      final String result = loss ? "Tensor" : "Triplets | Pairs";
      text.append("\nclass %s(%s):\n".formatted(name, loss ? "Loss" : "Miner"))
          .append("    def __init__(self%s) -> None: ...\n".formatted(parameters(spec, ", *, ")))
          .append("    def __call__(self, %s) -> %s: ...\n".formatted(tensors, result))
          .append("    def forward(self, %s) -> %s: ...\n".formatted(tensors, result));
      if (loss) {
        text.append(
            "    def value_and_grad(self, %s) -> tuple[Tensor, Any]: ...\n".formatted(tensors));
      }
    }
    return text.toString();
  }

  /** The stub of jloss.functional: a function a loss or miner. */
  static String functions() {
    final StringBuilder text =
        new StringBuilder(HEAD)
            .append("from ._losses import Pairs, Triplets\nfrom ._tensor import Tensor\n");
    for (final Spec spec : Losses.all()) {
      final String kind = LossSpecs.kind(spec);
      if (!kind.equals("memory")) {
        text.append(
            "\ndef %s(%s%s) -> %s: ...\n"
                .formatted(
                    spec.id(),
                    tensors(spec),
                    keywords(spec),
                    kind.equals("loss") ? "Tensor" : "Triplets | Pairs"));
      }
    }
    return text.toString();
  }

  private static String tensors(Spec spec) {
    return spec.inputs().stream()
        .map(
            i ->
                i.optional()
                    ? i.name()
                        + ": "
                        + spec.parameter(i.name())
                            .map(LossSpecs::pythonType)
                            .orElse("Tensor | None")
                        + " = None"
                    : i.name() + ": Tensor")
        .collect(Collectors.joining(", "));
  }

  private static String parameters(Spec spec, String before) {
    return parameters(spec, spec.parameters(), before);
  }

  /** The parameters of a function, where a tensor's name is the tensor's. */
  private static String keywords(Spec spec) {
    return parameters(
        spec,
        spec.parameters().stream().filter(p -> spec.input(p.name()).isEmpty()).toList(),
        ", *, ");
  }

  private static String parameters(Spec spec, List<Spec.Parameter> parameters, String before) {
    final Record defaults = Losses.parameters(spec, Map.of());
    final String listed =
        parameters.stream()
            .map(
                p ->
                    p.name()
                        + ": "
                        + LossSpecs.pythonType(p)
                        + " = "
                        + literal(LossSpecs.plain(Losses.value(defaults, p))))
            .collect(Collectors.joining(", "));
    return listed.isEmpty() ? "" : before + listed;
  }

  private static String literal(@Nullable Object value) {
    if (value == null) {
      return "None";
    }
    if (value instanceof Boolean bool) {
      return bool ? "True" : "False";
    }
    if (value instanceof String text) {
      return "'" + text + "'";
    }
    return value instanceof Number ? value.toString() : "...";
  }
}
