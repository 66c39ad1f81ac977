package org.jloss.python;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An overload of an operator, as the dispatcher prints it: {@code aten::sum.dim_IntList(Tensor
 * self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor}.
 *
 * @param number its number in the native library
 * @param name its name without the overload's and the name space's
 * @param arguments its arguments in order
 * @param mutates whether it changes an argument
 * @param text all as it was
 */
record Schema(int number, String name, List<Argument> arguments, boolean mutates, String text) {

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
    /** What no script can make: a generator, a storage, a stream. */
    OTHER
  }

  /**
   * An argument.
   *
   * @param name its name
   * @param type its type as the schema has it
   * @param kind what it takes
   * @param size for a list the count that one value is expanded to, or 0
   * @param optional whether it takes None
   * @param hasDefault whether it may be left out
   * @param keywordOnly whether it is never positional
   */
  record Argument(
      String name,
      String type,
      Kind kind,
      int size,
      boolean optional,
      boolean hasDefault,
      boolean keywordOnly) {}

  /**
   * Parses a line of the native library: a number, a tab, a schema. Null for what scripts cannot
   * call.
   */
  static @Nullable Schema parse(String line) {
    final int tab = line.indexOf('\t');
    final String text = line.substring(tab + 1);
    final int open = text.indexOf('(');
    final int close = closing(text, open);
    final String full = text.substring(text.indexOf("::") + 2, open);
    final String name = full.contains(".") ? full.substring(0, full.indexOf('.')) : full;
    final List<Argument> arguments = new ArrayList<>();
    boolean keywordOnly = false;
    boolean mutates = false;
    for (final String part : split(text.substring(open + 1, close))) {
      if (part.equals("*")) {
        keywordOnly = true;
        continue;
      }
      final Argument argument = argument(part, keywordOnly);
      mutates |= part.contains("!");
      if (argument.type.startsWith("str[") // names of axes
          || argument.name.equals("out")
          || keywordOnly && part.contains("!")
          || argument.kind == Kind.OTHER && !argument.optional) {
        return null;
      }
      arguments.add(argument);
    }
    return new Schema(
        Integer.parseInt(line.substring(0, tab)), name, List.copyOf(arguments), mutates, text);
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

  private static Argument argument(String part, boolean keywordOnly) {
    final int space = part.lastIndexOf(' ', part.contains("=") ? part.indexOf('=') : part.length());
    String name = part.substring(space + 1);
    final boolean hasDefault = name.contains("=");
    if (hasDefault) {
      name = name.substring(0, name.indexOf('='));
    }
    final String type = part.substring(0, space).replaceAll("\\([a-z!| >*-]*\\)", "").strip();
    final boolean optional = type.endsWith("?");
    final String base = optional ? type.substring(0, type.length() - 1) : type;
    int size = 0;
    String element = base;
    boolean list = false;
    if (base.endsWith("]")) {
      list = true;
      final String count = base.substring(base.lastIndexOf('[') + 1, base.length() - 1);
      size = count.isEmpty() ? 0 : Integer.parseInt(count);
      element = base.substring(0, base.lastIndexOf('['));
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
          default -> Kind.OTHER;
        };
    return new Argument(name, type, kind, size, optional, hasDefault, keywordOnly);
  }

  /** Whether it has an argument of this name that is a number. */
  boolean takesScalar(String name) {
    return arguments.stream().anyMatch(a -> a.kind == Kind.SCALAR && a.name.equals(name));
  }

  /** The place among overloads: fewer arguments first, and ints before numbers before tensors. */
  int order() {
    int order = 0;
    for (final Argument argument : arguments) {
      order +=
          switch (argument.kind) {
            case INT, BOOL -> 0;
            case FLOAT -> 1;
            case SCALAR -> 2;
            case INTS, FLOATS, BOOLS -> 3;
            default -> 4;
          };
    }
    return arguments.size() * 8 + order;
  }
}
