package org.jloss.python;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * An overload of an operator, as the dispatcher prints it: {@code aten::max.dim(Tensor self, int
 * dim, bool keepdim=False) -> (Tensor values, Tensor indices)}.
 *
 * @param number its number in the native library
 * @param target its name without the name space
 * @param arguments its arguments in order
 * @param results its results' names, null where they have none
 * @param mutates whether it changes an argument
 * @param defaultDtype the place of the argument in whose absence the result is of the default
 *     dtype, -1 where there is none
 */
record Schema(
    int number,
    String target,
    List<Argument> arguments,
    List<@Nullable String> results,
    boolean mutates,
    int defaultDtype) {

  /** What an argument takes. */
  enum Kind {
    TENSOR,
    TENSORS,
    OPTIONAL_TENSORS,
    SCALAR,
    INT,
    FLOAT,
    BOOL,
    INTS,
    FLOATS,
    BOOLS,
    TEXT,
    /** A dtype, layout or memory format. */
    CODE,
    DEVICE,
    GENERATOR,
    /** What no script can make: a storage, a stream. */
    OTHER
  }

  /**
   * An argument.
   *
   * @param optional whether it takes None
   * @param hasDefault whether it may be left out
   */
  record Argument(String name, Kind kind, boolean optional, boolean hasDefault) {}

  /** Parses a line of the native library: a number, a tab, a schema. */
  static Schema parse(String line) {
    final int tab = line.indexOf('\t');
    final String text = line.substring(tab + 1);
    final int open = text.indexOf('(');
    final int close = closing(text, open);
    final List<Argument> arguments = new ArrayList<>();
    for (final String part : split(text.substring(open + 1, close))) {
      if (!part.equals("*")) {
        arguments.add(argument(part));
      }
    }
    String given = text.substring(text.indexOf("->", close) + 2).strip();
    if (given.startsWith("(") && closing(given, 0) == given.length() - 1) {
      given = given.substring(1, given.length() - 1);
    }
    final List<@Nullable String> results = new ArrayList<>();
    for (final String part : split(given)) {
      final String[] words = part.split(" (?![^(]*\\))");
      results.add(words.length > 1 ? words[words.length - 1] : null);
    }
    return new Schema(
        Integer.parseInt(line.substring(0, tab)),
        text.substring(text.indexOf("::") + 2, open),
        List.copyOf(arguments),
        results,
        text.substring(open, close).contains("!"),
        defaultDtype(text.substring(0, close), arguments));
  }

  /** Its name without that of the overload. */
  String name() {
    final int dot = target.indexOf('.');
    return dot < 0 ? target : target.substring(0, dot);
  }

  /** Where a tensor is given, an absent dtype is that tensor's; but not of these. */
  private static int defaultDtype(String text, List<Argument> arguments) {
    if (text.contains("ScalarType? dtype=None")
        && (!text.contains("Tensor ")
            || text.contains("::linspace")
            || text.contains("::logspace"))) {
      for (int i = 0; i < arguments.size(); i++) {
        if (arguments.get(i).name().equals("dtype")) {
          return i;
        }
      }
    }
    return -1;
  }

  boolean namesResults() {
    return results.size() > 1 && results.stream().allMatch(Objects::nonNull);
  }

  private static int closing(String text, int open) {
    int depth = 0;
    for (int i = open; i < text.length(); i++) {
      depth += text.charAt(i) == '(' ? 1 : text.charAt(i) == ')' ? -1 : 0;
      if (depth == 0) {
        return i;
      }
    }
    throw new IllegalArgumentException(text);
  }

  /** Splits at the commas that stand in no brackets and no quotes. */
  private static List<String> split(String text) {
    final List<String> parts = new ArrayList<>();
    int depth = 0;
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i <= text.length(); i++) {
      final char c = i < text.length() ? text.charAt(i) : ',';
      quoted ^= c == '"' || c == '\'';
      depth += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
      if (c == ',' && (i == text.length() || depth == 0 && !quoted)) {
        final String part = text.substring(start, i).strip();
        if (!part.isEmpty()) {
          parts.add(part);
        }
        start = i + 1;
      }
    }
    return parts;
  }

  private static Argument argument(String part) {
    final int space = part.lastIndexOf(' ', part.contains("=") ? part.indexOf('=') : part.length());
    String name = part.substring(space + 1);
    final boolean hasDefault = name.contains("=");
    if (hasDefault) {
      name = name.substring(0, name.indexOf('='));
    }
    final String type = part.substring(0, space).replaceAll("\\([a-z!| >*-]*\\)", "").strip();
    final boolean optional = type.endsWith("?");
    String element = optional ? type.substring(0, type.length() - 1) : type;
    final boolean list = element.endsWith("]");
    if (list) {
      element = element.substring(0, element.lastIndexOf('['));
    }
    final Kind kind =
        switch (element) {
          case "Tensor" -> list ? Kind.TENSORS : Kind.TENSOR;
          case "Tensor?" -> list ? Kind.OPTIONAL_TENSORS : Kind.OTHER;
          case "Scalar" -> list ? Kind.OTHER : Kind.SCALAR;
          case "int", "SymInt" -> list ? Kind.INTS : Kind.INT;
          case "float" -> list ? Kind.FLOATS : Kind.FLOAT;
          case "bool" -> list ? Kind.BOOLS : Kind.BOOL;
          case "str" -> list ? Kind.OTHER : Kind.TEXT;
          case "ScalarType", "Layout", "MemoryFormat" -> list ? Kind.OTHER : Kind.CODE;
          case "Device" -> list ? Kind.OTHER : Kind.DEVICE;
          case "Generator" -> list ? Kind.OTHER : Kind.GENERATOR;
          default -> Kind.OTHER;
        };
    return new Argument(name, kind, optional, hasDefault);
  }
}
