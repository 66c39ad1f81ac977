package org.jloss.python;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jloss.ClassWeights;
import org.jloss.Losses;
import org.jloss.Numbers;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** Losses' descriptions in plain values, for the Python package and its type stubs. */
final class LossSpecs {
  private LossSpecs() {}

  static Map<String, Object> describe(Spec spec) {
    final Object defaults = Losses.instantiate(spec, Map.of());
    final List<Object> parameters = new ArrayList<>();
    for (final Spec.Parameter parameter : spec.parameters()) {
      final Map<String, @Nullable Object> map = new LinkedHashMap<>();
      map.put("name", parameter.name());
      map.put("type", pythonType(parameter));
      map.put("default", plain(Losses.value(defaults, parameter)));
      map.put("range", range(spec, parameter));
      parameters.add(map);
    }
    final List<Object> inputs = new ArrayList<>();
    for (final Spec.InputSpec input : spec.inputs()) {
      final Map<String, Object> map = new LinkedHashMap<>();
      map.put("name", input.name());
      map.put("shape", input.shape());
      map.put("domain", input.domain().name().toLowerCase(Locale.ROOT));
      map.put("optional", input.optional());
      map.put("differentiable", input.differentiable());
      inputs.add(map);
    }
    final Map<String, Object> all = new LinkedHashMap<>();
    all.put("id", spec.id());
    all.put("family", spec.family());
    all.put("name", spec.type().getSimpleName());
    all.put("formula", spec.formula());
    all.put("source", spec.source());
    all.put("parameters", parameters);
    all.put("inputs", inputs);
    return all;
  }

  /** A parameter's type as Python's annotations have it. */
  static String pythonType(Spec.Parameter parameter) {
    final Class<?> type = parameter.type();
    final String name =
        type == double.class || type == Double.class
            ? "float"
            : type == long.class || type == Long.class || type == int.class
                ? "int"
                : type == boolean.class
                    ? "bool"
                    : type.isEnum()
                        ? "str"
                        : type == ClassWeights.class
                            ? "Tensor | Sequence[float] | float"
                            : type == Numbers.class ? "Sequence[float] | float" : "Any";
    return parameter.nullable() ? name + " | None" : name;
  }

  /** A parameter's legal values in words. */
  private static String range(Spec spec, Spec.Parameter parameter) {
    if (parameter.type() == Reduction.class) {
      return names(spec.reductions().toArray());
    }
    if (parameter.type().isEnum()) {
      return names(parameter.type().getEnumConstants());
    }
    return parameter.type() == boolean.class ? "" : parameter.range();
  }

  private static String names(Object[] constants) {
    final List<String> names = new ArrayList<>();
    for (final Object constant : constants) {
      names.add("'" + ((Enum<?>) constant).name().toLowerCase(Locale.ROOT) + "'");
    }
    return String.join(", ", names);
  }

  static @Nullable Object plain(@Nullable Object value) {
    if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT);
    }
    if (value instanceof Double number && number.isInfinite()) {
      return number > 0 ? "inf" : "-inf";
    }
    if (value instanceof Numbers numbers) {
      return numbers.size() == 1 ? (Object) numbers.get(0) : numbers.toArray();
    }
    if (value instanceof ClassWeights weights) {
      return weights.isScalar() ? (Object) weights.get(0) : weights.toArray();
    }
    return value;
  }
}
