package org.jloss.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jloss.ClassWeights;
import org.jloss.Losses;
import org.jloss.Memory;
import org.jloss.Numbers;
import org.jloss.Spec;
import org.jspecify.annotations.Nullable;

/** Parameters' values from and to texts and JSON. */
final class Values {
  private Values() {}

  /** A loss or miner with parameters given as {@code name=value}. */
  static Object system(String id, Map<String, String> settings) {
    final Spec spec = Losses.spec(id);
    if (Memory.class.isAssignableFrom(spec.type())) {
      throw new Refusal(id + " keeps a state between calls; there is nothing to compute from one");
    }
    final Map<String, @Nullable Object> parameters = new LinkedHashMap<>();
    settings.forEach(
        (name, text) ->
            parameters.put(
                name, spec.parameter(name).map(p -> parse(p, text.strip())).orElse(text)));
    return Losses.instantiate(spec, parameters);
  }

  /** What cannot be read is passed on as a text: the loss's own message is about it then. */
  private static @Nullable Object parse(Spec.Parameter parameter, String text) {
    if (parameter.type().isEnum()) {
      return parameter.list() ? List.of(text.split("\\s*,\\s*")) : text;
    }
    final String word = text.toLowerCase(Locale.ROOT);
    if (parameter.nullable() && word.equals("none")) {
      return null;
    }
    if (word.equals("true") || word.equals("false")) {
      return Boolean.valueOf(word);
    }
    final boolean bracketed = text.startsWith("[") && text.endsWith("]");
    final String inner = bracketed ? text.substring(1, text.length() - 1) : text;
    try {
      if (bracketed || inner.contains(",")) {
        final List<Number> numbers = new ArrayList<>();
        for (final String item : inner.split(",", -1)) {
          numbers.add(number(item.strip()));
        }
        return numbers;
      }
      return number(text);
    } catch (NumberFormatException e) {
      return text;
    }
  }

  private static Number number(String text) {
    switch (text.toLowerCase(Locale.ROOT)) {
      case "inf":
        return Double.POSITIVE_INFINITY;
      case "-inf":
        return Double.NEGATIVE_INFINITY;
      default:
        if (text.matches("[-+]?[0-9]{1,18}")) {
          return Long.valueOf(text);
        }
        return Double.valueOf(text);
    }
  }

  /** A value as a user writes it. */
  static String text(@Nullable Object value) {
    if (value == null) {
      return "none";
    }
    if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT);
    }
    if (value instanceof Double number) {
      return text(number.doubleValue());
    }
    final double @Nullable [] numbers = numbers(value);
    if (numbers != null) {
      return numbers.length == 1 && isScalar(value)
          ? text(numbers[0])
          : String.join(",", Arrays.stream(numbers).mapToObj(Values::text).toList());
    }
    if (value instanceof List<?> list) {
      return list.stream().map(Values::text).collect(Collectors.joining(","));
    }
    return value.toString();
  }

  /** A number as a user writes it. */
  static String text(double number) {
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    return number == Math.rint(number) && Math.abs(number) < 1e7
        ? Long.toString((long) number)
        : Double.toString(number).replace(".0E", "e").replace('E', 'e');
  }

  /** A value as JSON. */
  static JsonNode json(@Nullable Object value) {
    final JsonNodeFactory nodes = JsonNodeFactory.instance;
    if (value == null) {
      return nodes.nullNode();
    }
    if (value instanceof Boolean truth) {
      return nodes.booleanNode(truth);
    }
    if (value instanceof Long number) {
      return nodes.numberNode(number);
    }
    if (value instanceof Double number) {
      return json(number.doubleValue());
    }
    if (value instanceof List<?> items) {
      final ArrayNode list = nodes.arrayNode();
      items.forEach(item -> list.add(json(item)));
      return list;
    }
    final double @Nullable [] numbers = numbers(value);
    if (numbers == null) {
      return nodes.textNode(text(value));
    }
    if (numbers.length == 1 && isScalar(value)) {
      return json(numbers[0]);
    }
    final ArrayNode list = nodes.arrayNode();
    for (final double number : numbers) {
      list.add(json(number));
    }
    return list;
  }

  /** Numbers that JSON does not know are texts. */
  static JsonNode json(double number) {
    final JsonNodeFactory nodes = JsonNodeFactory.instance;
    if (Double.isFinite(number)) {
      return nodes.numberNode(number);
    }
    return nodes.textNode(Double.isNaN(number) ? "nan" : text(number));
  }

  /** A document, indented, with a line end. */
  static String print(JsonNode node) {
    return node.toPrettyString() + "\n";
  }

  private static double @Nullable [] numbers(Object value) {
    if (value instanceof Numbers numbers) {
      return numbers.toArray();
    }
    return value instanceof ClassWeights weights ? weights.toArray() : null;
  }

  private static boolean isScalar(Object value) {
    return value instanceof ClassWeights weights ? weights.isScalar() : true;
  }
}
