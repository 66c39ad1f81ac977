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
      from builtins import bool as _bool, float as _float, int as _int
      from collections.abc import Sequence
      from typing import Any, Literal, NamedTuple

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
        from math import e as e, inf as inf, nan as nan, pi as pi

        from . import functional as functional
        from ._dtypes import bfloat16 as bfloat16, bool as bool, double as double, dtype as dtype
        from ._dtypes import float as float, float16 as float16, float32 as float32
        from ._dtypes import float64 as float64, half as half, int as int, int8 as int8
        from ._dtypes import int16 as int16, int32 as int32, int64 as int64, long as long
        from ._dtypes import uint8 as uint8
        from ._own import loss as loss, miner as miner
        from ._systems import Loss as Loss, Memory as Memory, Miner as Miner
        from ._systems import WeightedSum as WeightedSum
        from ._tensor import Tensor as Tensor, enable_grad as enable_grad
        from ._tensor import is_grad_enabled as is_grad_enabled, manual_seed as manual_seed
        from ._tensor import no_grad as no_grad, set_grad_enabled as set_grad_enabled
        from ._tensor import tensor as tensor
        from ._tuples import Pairs as Pairs, Triplets as Triplets

        __version__: str

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
      if (loss) {
        text.append("\nclass _%sGradients(NamedTuple):\n".formatted(name));
        spec.inputs().forEach(i -> text.append("    %s: Tensor | None\n".formatted(i.name())));
      }
      text.append("\nclass %s(%s):\n".formatted(name, loss ? "Loss" : "Miner"));
      for (final Spec.Parameter p : spec.parameters()) {
        text.append(
            "    @property\n    def %s(self) -> %s: ...\n".formatted(p.name(), type(spec, p)));
      }
      text.append("    def __init__(self%s) -> None: ...\n".formatted(parameters(spec, ", *, ")))
          .append("    def __call__(self, %s) -> %s: ...\n".formatted(tensors, result))
          .append("    def forward(self, %s) -> %s: ...\n".formatted(tensors, result));
      if (loss) {
        text.append(
            "    def value_and_grad(self, %s) -> tuple[Tensor, _%sGradients]: ...\n"
                .formatted(tensors, name));
      }
    }
    return text.toString();
  }

  /** The stub of jloss.functional: a function a loss or miner. */
  static String functions() {
    final StringBuilder text =
        new StringBuilder(HEAD)
            .append("from ._tensor import Tensor\nfrom ._tuples import Pairs, Triplets\n");
    for (final Spec spec : Losses.all()) {
      final String kind = LossSpecs.kind(spec);
      if (!kind.equals("memory")) {
        text.append(
            "\ndef %s(%s%s) -> %s: ...\n"
                .formatted(
                    spec.id(),
                    arguments(spec),
                    keywords(spec),
                    kind.equals("loss") ? "Tensor" : "Triplets | Pairs"));
      }
    }
    return text.toString();
  }

  private static String tensors(Spec spec) {
    return spec.inputs().stream()
        .map(i -> i.optional() ? i.name() + ": Tensor | None = None" : i.name() + ": Tensor")
        .collect(Collectors.joining(", "));
  }

  /** The tensors of a function, where class weights may be given as numbers too. */
  private static String arguments(Spec spec) {
    return spec.inputs().stream()
        .map(
            i ->
                i.optional()
                    ? i.name()
                        + ": "
                        + spec.parameter(i.name()).map(p -> type(spec, p)).orElse("Tensor | None")
                        + " = None"
                    : i.name() + ": Tensor")
        .collect(Collectors.joining(", "));
  }

  /** A parameter's type; by other names than those that the package's dtypes have. */
  private static String type(Spec spec, Spec.Parameter parameter) {
    return LossSpecs.pythonType(parameter)
        .replaceAll("\\b(float|int|bool)\\b", "_$1")
        .replaceAll("\\bstr\\b", "Literal[" + LossSpecs.range(spec, parameter) + "]");
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
                        + type(spec, p)
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
    return value instanceof Number number && Double.isFinite(number.doubleValue())
        ? value.toString()
        : "...";
  }
}
