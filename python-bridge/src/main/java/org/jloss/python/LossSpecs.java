package org.jloss.python;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jloss.ClassWeights;
import org.jloss.Losses;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jloss.Numbers;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.jloss.WeightedSum;
import org.jloss.annotation.Definition;
import org.jspecify.annotations.Nullable;

/** Losses' descriptions in plain values, for the Python package and its type stubs. */
final class LossSpecs {
  /** Infinities as such, not as text: Python reads a description by eval, as it is faster there. */
  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS).build();

  private LossSpecs() {}

  /** What a system is: loss, sum, miner or memory. */
  static String kind(Spec spec) {
    if (spec.type() == WeightedSum.class) {
      return "sum";
    }
    return Memory.class.isAssignableFrom(spec.type())
        ? "memory"
        : Miner.class.isAssignableFrom(spec.type()) ? "miner" : "loss";
  }

  /** Whether it is one of the library, not a user's own. */
  static boolean isRegistered(Spec spec) {
    return Losses.all().contains(spec);
  }

  /** A description in JSON, with the parameters of this record, or with the defaults. */
  static String json(Spec spec, @Nullable Record values) throws JsonProcessingException {
    return JSON.writeValueAsString(
        describe(
            spec,
            values != null || spec.parameters().isEmpty()
                ? values
                : Losses.parameters(spec, Map.of())));
  }

  private static Map<String, Object> describe(Spec spec, @Nullable Record values) {
    final List<Object> parameters = new ArrayList<>();
    for (final Spec.Parameter parameter : spec.parameters()) {
      final Map<String, @Nullable Object> map = new LinkedHashMap<>();
      map.put("name", parameter.name());
      map.put("type", pythonType(parameter));
      map.put("default", plain(Losses.value(Objects.requireNonNull(values), parameter)));
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
    all.put("kind", kind(spec));
    all.put("registered", isRegistered(spec));
    all.put("name", className(spec));
    all.put("formula", spec.formula());
    all.put("source", spec.source());
    all.put("parameters", parameters);
    all.put("inputs", inputs);
    return all;
  }

  /** The record's name; of a function's, its id in camel case. */
  private static String className(Spec spec) {
    if (spec.type().isAnnotationPresent(Definition.class)) {
      return spec.type().getSimpleName();
    }
    final StringBuilder name = new StringBuilder();
    for (final String word : spec.id().split("[^A-Za-z0-9]+")) {
      if (!word.isEmpty()) {
        name.append(Character.toUpperCase(word.charAt(0))).append(word.substring(1));
      }
    }
    return name.isEmpty() || Character.isDigit(name.charAt(0)) ? "Own" + name : name.toString();
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
    final String listed = parameter.list() ? "Sequence[" + name + "] | " + name : name;
    return parameter.nullable() ? listed + " | None" : listed;
  }

  /** A parameter's legal values in words. */
  static String range(Spec spec, Spec.Parameter parameter) {
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

  /** A value that JSON has. */
  static @Nullable Object plain(@Nullable Object value) {
    if (value instanceof List<?> list) {
      return list.size() == 1 ? plain(list.get(0)) : list.stream().map(LossSpecs::plain).toArray();
    }
    if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT);
    }
    if (value instanceof Numbers numbers) {
      return numbers.size() == 1 ? (Object) numbers.get(0) : numbers.toArray();
    }
    if (value instanceof ClassWeights weights) {
      return weights.isScalar() ? (Object) weights.get(0) : weights.toArray();
    }
    return value == null || value instanceof Number || value instanceof Boolean
        ? value
        : value.toString();
  }
}
