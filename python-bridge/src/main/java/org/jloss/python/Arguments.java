package org.jloss.python;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import org.graalvm.polyglot.Value;
import org.jspecify.annotations.Nullable;

/**
 * The arguments of one call of an operator, and the rules by which PyTorch's own Python parser
 * finds the overload that takes them or says why there is none.
 */
final class Arguments {
  /** Stands for an argument that was not given. */
  static final Object ABSENT = new Object();

  private final List<@Nullable Object> positional;
  private final Map<String, @Nullable Object> keywords;
  // As Python has them, for the names of their types.
  private final List<Value> values;
  private final Map<String, Value> keywordValues = new LinkedHashMap<>();
  private final @Nullable Object self;

  /**
   * The arguments.
   *
   * @param method whether the first is self
   * @param names of the keywords, and their values; null if there are none
   */
  Arguments(boolean method, List<Value> arguments, @Nullable Value names, @Nullable Value given) {
    final int count = arguments.size();
    if (method && count == 0) {
      throw new PyError("TypeError", "unbound method needs a Tensor");
    }
    final int from = method ? 1 : 0;
    positional = new ArrayList<>(count - from);
    values = arguments.subList(from, count);
    for (final Value value : values) {
      positional.add(Args.of(value));
    }
    self = method ? Args.of(arguments.get(0)) : null;
    if (method && !(self instanceof PyTensor)) {
      throw new PyError(
          "TypeError",
          "expected a 'Tensor' object but received '" + Args.typeName(self) + "' as self");
    }
    if (names == null || given == null) {
      keywords = Map.of();
    } else {
      keywords = new LinkedHashMap<>();
      final int named = Args.count(names, given);
      for (int i = 0; i < named; i++) {
        final Value value = given.getArrayElement(i);
        final String name = names.getArrayElement(i).asString();
        keywordValues.put(name, value);
        keywords.put(name, Args.of(value));
      }
    }
  }

  @Nullable Object self() {
    return self;
  }

  /** The values of a signature's parameters in order, converted; null if it does not take these. */
  private Object @Nullable [] bind(Signature signature, boolean raise) {
    final boolean ints = signature.takesInts();
    final int count = positional.size();
    if (count > signature.positional() && !ints) {
      return raise ? surplus(signature) : null;
    }
    final List<Signature.Param> params = signature.params();
    final Object[] bound = new Object[params.size()];
    int position = 0;
    int used = 0;
    for (int i = 0; i < bound.length; i++) {
      final Signature.Param param = params.get(i);
      String keyword = null;
      Object value = ABSENT;
      if (position < count) {
        if (param.keywordOnly()) {
          return raise ? surplus(signature) : null;
        }
        value = positional.get(position);
      } else {
        keyword = keyword(param);
        value = keyword == null ? ABSENT : keywords.get(keyword);
      }
      if (value == ABSENT && param.fallback() == null) {
        return raise ? missing(signature, i) : null;
      }
      if (value == ABSENT || value == null && param.none()) {
        bound[i] = value;
      } else {
        bound[i] = convert(signature, param, value, i);
        if (bound[i] == ABSENT && ints && position == 0 && keyword == null) {
          bound[i] = convert(signature, param, positional, i);
          if (bound[i] != ABSENT) {
            position = count;
            continue;
          }
        }
        if (bound[i] == ABSENT) {
          if (raise && count > signature.positional()) {
            return surplus(signature);
          }
          return raise ? refused(signature, param, position, keyword) : null;
        }
      }
      if (keyword != null) {
        used++;
      } else if (value != ABSENT) {
        position++;
      }
    }
    if (used < keywords.size()) {
      return raise ? unexpected(signature) : null;
    }
    return bound;
  }

  /** A value for a parameter, {@link #ABSENT} if it does not take it. */
  private static @Nullable Object convert(
      Signature signature, Signature.Param param, @Nullable Object value, int index) {
    switch (param.type()) {
      case TENSOR:
        return value instanceof PyTensor
                || signature.takesNumbersAsTensors()
                    && (isNumber(value)
                        || value instanceof Boolean
                        || value instanceof Args.Complex)
            ? value
            : ABSENT;
      case SCALAR, FLOAT:
        final Object number = value instanceof PyTensor t && t.isNumber() ? t.number() : value;
        if (number instanceof Boolean bool && param.type() == Signature.Type.FLOAT) {
          return bool ? 1.0 : 0.0;
        }
        if (number instanceof Number real && isNumber(real)) {
          return param.type() == Signature.Type.FLOAT ? (Object) real.doubleValue() : real;
        }
        return number instanceof Boolean
                || number instanceof Args.Complex && param.type() == Signature.Type.SCALAR
            ? number
            : ABSENT;
      case INT:
        return integer(value, param.indexes());
      case TENSORS:
        if (!(value instanceof List<?> tensors)) {
          return ABSENT;
        }
        for (int i = 0; i < tensors.size(); i++) {
          if (!(tensors.get(i) instanceof PyTensor)) {
            throw new PyError(
                "TypeError",
                "expected Tensor as element %d in argument %d, but got %s"
                    .formatted(i, index, Args.typeName(tensors.get(i))));
          }
        }
        return value;
      case INTS:
        return integers(signature, param, value);
      case FLOATS:
        return value instanceof List<?> floats && floats.stream().allMatch(Arguments::isNumber)
            ? value
            : ABSENT;
      case GENERATOR:
        return value instanceof PyGenerator ? value : ABSENT;
      case BOOL:
        return value instanceof Boolean ? value : ABSENT;
      case DTYPE:
        return code(value, PyCode.Kind.DTYPE);
      case LAYOUT:
        return code(value, PyCode.Kind.LAYOUT);
      case MEMORY_FORMAT:
        return code(value, PyCode.Kind.MEMORY_FORMAT);
      case DEVICE:
        return value instanceof String || value instanceof Long
            ? device(value)
            : code(value, PyCode.Kind.DEVICE);
      case TEXT:
        return value instanceof String ? value : ABSENT;
      case AXIS_NAME:
        return value == null || value instanceof String ? value : ABSENT;
      case AXIS_NAMES:
        return value instanceof List<?> names && (names.isEmpty() || names.get(0) instanceof String)
            ? value
            : param.size() == 1 && value instanceof String ? List.of(value) : ABSENT;
      default:
        return ABSENT;
    }
  }

  private static boolean isNumber(@Nullable Object value) {
    return value instanceof Long || value instanceof Double;
  }

  private static Object code(@Nullable Object value, PyCode.Kind kind) {
    return value instanceof PyCode code && code.kind() == kind ? value : ABSENT;
  }

  private static Object integer(@Nullable Object value, boolean indexes) {
    if (value instanceof Long) {
      return value;
    }
    if (value instanceof PyTensor tensor
        && tensor.isIntegral()
        && (indexes ? tensor.numel() == 1 : tensor.isNumber())) {
      return tensor.item();
    }
    return ABSENT;
  }

  private static Object integers(
      Signature signature, Signature.Param param, @Nullable Object value) {
    if (!(value instanceof List<?> list)) {
      final Object one = integer(value, param.indexes());
      return one == ABSENT || param.size() == 0
          ? ABSENT
          : new ArrayList<>(Collections.nCopies(param.size(), one));
    }
    final List<Object> ints = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      final Object one = integer(list.get(i), true);
      if (one == ABSENT && i == 0) {
        return ABSENT;
      }
      if (one == ABSENT) {
        throw new PyError(
            "TypeError",
            "%s(): argument '%s' failed to unpack the object at pos %d with error \"type must be %s,but got %s\""
                .formatted(
                    signature.name(),
                    param.name(),
                    i + 1,
                    param.type().word,
                    Args.typeName(list.get(i))));
      }
      ints.add(one);
    }
    return ints;
  }

  /** The device of a name or a number; there is the CPU, and "meta" for shapes without data. */
  static PyCode device(Object name) {
    final String text = name instanceof Long ? "cuda:" + name : (String) name;
    final String type = text.replaceFirst(":\\d+$", "");
    switch (type) {
      case "cpu":
        return new PyCode(PyCode.Kind.DEVICE, NativeOps.CPU);
      case "meta":
        return new PyCode(PyCode.Kind.DEVICE, NativeOps.META);
      case "cuda", "mps", "xpu", "hip", "xla", "mtia", "hpu":
        throw new PyError(
            "RuntimeError", "there is no device '" + text + "': jloss runs on the CPU");
      default:
        throw new PyError(
            "RuntimeError",
            "Expected one of cpu, meta device type at start of device string: " + text);
    }
  }

  private @Nullable String keyword(Signature.Param param) {
    for (final String name : keywords.isEmpty() ? List.<String>of() : param.keywords()) {
      if (keywords.containsKey(name)) {
        return name;
      }
    }
    return null;
  }

  /** An overload and its arguments. */
  record Match(Signature signature, Object[] bound) {}

  /** The first overload that takes these arguments. */
  Match match(List<Signature> signatures) {
    final boolean only = signatures.size() == 1;
    for (final Signature signature : signatures) {
      final Object[] bound = bind(signature, only);
      if (bound != null) {
        checkNames(signature, bound);
        return new Match(signature, bound);
      }
    }
    final int count = positional.size() + keywords.size();
    final List<Signature> plausible =
        signatures.stream()
            .filter(s -> !s.deprecated() && count >= s.required() && count <= s.params().size())
            .toList();
    if (plausible.size() == 1) {
      bind(plausible.get(0), true);
    }
    throw new PyError("TypeError", mismatch(signatures));
  }

  private void checkNames(Signature signature, Object[] bound) {
    for (int i = 0; i < bound.length; i++) {
      final Signature.Type type = signature.params().get(i).type();
      final Object name =
          type == Signature.Type.AXIS_NAME
              ? bound[i]
              : type == Signature.Type.AXIS_NAMES
                      && bound[i] instanceof List<?> names
                      && !names.isEmpty()
                  ? names.get(0)
                  : null;
      if (name == null && type == Signature.Type.AXIS_NAME) {
        throw new PyError("RuntimeError", "Please look up dimensions by name, got: name = None.");
      }
      if (name != null && name != ABSENT) {
        Object tensor = self != null ? self : bound[0];
        if (tensor instanceof List<?> list && !list.isEmpty()) {
          tensor = list.get(0);
        }
        if (!(tensor instanceof PyTensor t)) {
          throw new PyError("NotImplementedError", "named tensors are not supported");
        }
        throw new PyError(
            "RuntimeError",
            "Name '%s' not found in Tensor%s."
                .formatted(name, Collections.nCopies((int) t.dim(), "None")));
      }
    }
  }

  // What PyTorch says; words and counts are its own, odd plurals too.

  private Object[] surplus(Signature signature) {
    final int most = signature.positional();
    final int least = signature.required();
    final int given = positional.size();
    throw new PyError(
        "TypeError",
        signature.name()
            + (least != most
                ? "() takes from %d to %d positional arguments but %d were given"
                    .formatted(least, most, given)
                : "() takes %d positional argument%s but %d %s given"
                    .formatted(most, most == 1 ? "" : "s", given, given == 1 ? "was" : "were")));
  }

  private static Object[] missing(Signature signature, int from) {
    final List<String> names =
        signature.params().stream()
            .skip(from)
            .filter(p -> p.fallback() == null)
            .map(p -> '"' + p.name() + '"')
            .toList();
    throw new PyError(
        "TypeError",
        "%s() missing %d required positional argument%s: %s"
            .formatted(
                signature.name(),
                names.size(),
                names.size() == 1 ? "s" : "",
                String.join(", ", names)));
  }

  private Object[] refused(
      Signature signature, Signature.Param param, int position, @Nullable String keyword) {
    final Value value =
        keyword == null
            ? values.get(position)
            : Objects.requireNonNull(keywordValues.get(keyword), keyword);
    final StringBuilder text =
        new StringBuilder("%s(): argument '%s'".formatted(signature.name(), param.name()));
    if (keyword == null) {
      text.append(" (position ").append(position + 1).append(')');
    }
    text.append(" must be ").append(param.type().word);
    final Object given = keyword != null ? keywords.get(keyword) : positional.get(position);
    if (param.type() == Signature.Type.INTS && given instanceof List<?> list && keyword == null) {
      text.append(", but found element of type ")
          .append(Args.typeName(list.get(0)))
          .append(" at pos 0");
    } else {
      text.append(", not ").append(Args.typeName(value));
    }
    throw new PyError("TypeError", text.toString());
  }

  private Object[] unexpected(Signature signature) {
    for (final String keyword : keywords.keySet()) {
      int index = -1;
      for (int i = 0; i < signature.params().size(); i++) {
        if (signature.params().get(i).name().equals(keyword)) {
          index = i;
        }
      }
      if (index < 0) {
        throw new PyError(
            "TypeError",
            signature.name() + "() got an unexpected keyword argument '" + keyword + "'");
      }
      if (index < positional.size()) {
        throw new PyError(
            "TypeError",
            signature.name() + "() got multiple values for argument '" + keyword + "'");
      }
    }
    throw new PyError("TypeError", "invalid keyword arguments");
  }

  private String mismatch(List<Signature> signatures) {
    final List<Signature> shown = signatures.stream().filter(s -> !s.deprecated()).toList();
    final StringBuilder text =
        new StringBuilder(shown.get(0).name())
            .append("() received an invalid combination of arguments - ");
    if (shown.size() == 1) {
      final String wrong = wrongKeywords(words(shown.get(0)));
      if (!wrong.isEmpty()) {
        return text.append("got unrecognized keyword arguments: ").append(wrong).toString();
      }
      final String[] words = words(shown.get(0));
      return text.append("got ")
          .append(words.length == positional.size() + keywords.size() ? marked(words) : given())
          .append(", but expected ")
          .append(shown.get(0))
          .toString();
    }
    text.append("got ").append(given()).append(", but expected one of:\n");
    for (final Signature signature : shown) {
      text.append(" * ").append(signature).append('\n');
      final String[] words = words(signature);
      if (words.length == positional.size() + keywords.size()) {
        final String wrong = wrongKeywords(words);
        text.append(
                wrong.isEmpty()
                    ? "      didn't match because some of the arguments have invalid types: "
                        + marked(words)
                    : "      didn't match because some of the keywords were incorrect: " + wrong)
            .append('\n');
      }
    }
    return text.toString();
  }

  /** The comma-separated parts of a signature, which is what PyTorch takes for its arguments. */
  private static String[] words(Signature signature) {
    final String text = signature.toString();
    return text.substring(1, text.length() - 1).split(", ", -1);
  }

  private String given() {
    final StringJoiner given = new StringJoiner(", ");
    values.forEach(v -> given.add(Args.typeName(v)));
    keywordValues.forEach((k, v) -> given.add(k + "=" + Args.typeName(v)));
    return "(" + given + (values.isEmpty() && !keywordValues.isEmpty() ? ", )" : ")");
  }

  private String wrongKeywords(String[] words) {
    final int from = Math.max(0, words.length - keywords.size());
    final List<String> names =
        Arrays.stream(words, from, words.length)
            .map(w -> w.substring(w.lastIndexOf(' ') + 1))
            .toList();
    final List<String> wrong = keywords.keySet().stream().filter(k -> !names.contains(k)).toList();
    return String.join(", ", wrong);
  }

  private String marked(String[] words) {
    final StringJoiner given = new StringJoiner(", ");
    for (int i = 0; i < words.length; i++) {
      final int space = words[i].lastIndexOf(' ');
      final String type = words[i].substring(0, Math.max(0, space));
      final String name = words[i].substring(space + 1);
      final boolean keyword = i >= values.size();
      final Value value = keyword ? Objects.requireNonNull(keywordValues.get(name)) : values.get(i);
      final String got = Args.typeName(value);
      final boolean fits =
          got.equals(type) || got.equals("int") && (type.equals("float") || type.equals("int"));
      final String text = (keyword ? name + "=" : "") + Args.elements(value);
      given.add(fits ? text : "!" + text + "!");
    }
    return "(" + given + (values.isEmpty() && !keywordValues.isEmpty() ? ", )" : ")");
  }
}
