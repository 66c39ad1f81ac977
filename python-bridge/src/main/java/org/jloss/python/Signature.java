package org.jloss.python;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An overload of an operator as PyTorch's Python has it, a line of operators.txt.
 *
 * @param target the dispatcher's name of it, such as {@code max.dim}
 * @param name the operator's name
 * @param params in order; a method's without self
 * @param deprecated whether it is tried last and not named in errors
 */
record Signature(String target, String name, List<Param> params, boolean deprecated) {

  /** What a parameter takes, with PyTorch's word for it. */
  enum Type {
    TENSOR("Tensor"),
    SCALAR("Number"),
    INT("int"),
    FLOAT("float"),
    TENSORS("tuple of Tensors"),
    INTS("tuple of ints"),
    FLOATS("tuple of floats"),
    SCALARS("tuple of Scalars"),
    GENERATOR("torch.Generator"),
    BOOL("bool"),
    DTYPE("torch.dtype"),
    LAYOUT("torch.layout"),
    MEMORY_FORMAT("torch.memory_format"),
    DEVICE("torch.device"),
    TEXT("str"),
    AXIS_NAME("name"),
    AXIS_NAMES("tuple of names"),
    OTHER("object");

    final String word;

    Type(String word) {
      this.word = word;
    }
  }

  /**
   * A parameter.
   *
   * @param size for a list the count that one value is expanded to, or 0
   * @param indexes whether it takes what Python's {@code operator.index} takes
   * @param none whether it takes None
   * @param keywordOnly whether it is never positional
   * @param fallback the default as text, null if it must be given
   */
  record Param(
      String name,
      Type type,
      int size,
      boolean indexes,
      boolean none,
      boolean keywordOnly,
      @Nullable String fallback) {

    /** The keywords under which it may be given: NumPy's names of it too. */
    List<String> keywords() {
      return switch (name) {
        case "dim" -> List.of(name, "axis");
        case "keepdim" -> List.of(name, "keepdims");
        case "input" -> List.of(name, "x", "a", "x1");
        case "other" -> List.of(name, "x2");
        default -> List.of(name);
      };
    }

    @Override
    public String toString() {
      return type.word + " " + name + (fallback == null ? "" : " = " + fallback);
    }
  }

  /** Those that take Python's numbers for tensors. */
  private static final Set<String> NUMBERS_AS_TENSORS =
      Set.of(
          "add",
          "add_",
          "div",
          "div_",
          "divide",
          "divide_",
          "mul",
          "mul_",
          "multiply",
          "multiply_",
          "sub",
          "sub_",
          "subtract",
          "subtract_",
          "true_divide",
          "true_divide_",
          "copy_",
          "floor_divide",
          "floor_divide_");

  private static final Map<String, Type> TYPES =
      Map.ofEntries(
          Map.entry("Tensor", Type.TENSOR),
          Map.entry("Scalar", Type.SCALAR),
          Map.entry("int64_t", Type.INT),
          Map.entry("SymInt", Type.INT),
          Map.entry("double", Type.FLOAT),
          Map.entry("TensorList", Type.TENSORS),
          Map.entry("IntArrayRef", Type.INTS),
          Map.entry("SymIntArrayRef", Type.INTS),
          Map.entry("ArrayRef<double>", Type.FLOATS),
          Map.entry("ScalarList", Type.SCALARS),
          Map.entry("Generator", Type.GENERATOR),
          Map.entry("bool", Type.BOOL),
          Map.entry("ScalarType", Type.DTYPE),
          Map.entry("Layout", Type.LAYOUT),
          Map.entry("MemoryFormat", Type.MEMORY_FORMAT),
          Map.entry("Device", Type.DEVICE),
          Map.entry("c10::string_view", Type.TEXT),
          Map.entry("Dimname", Type.AXIS_NAME),
          Map.entry("DimnameList", Type.AXIS_NAMES));

  /** Parses {@code target TAB signature}, the latter as torch's argument parser takes it. */
  static Signature parse(String line) {
    final String[] parts = line.split("\t");
    final int open = parts[1].indexOf('(');
    final int close = parts[1].lastIndexOf(')');
    final List<Param> params = new ArrayList<>();
    boolean keywordOnly = false;
    for (final String part : parts[1].substring(open + 1, close).split(", ")) {
      if (part.equals("*")) {
        keywordOnly = true;
      } else if (!part.isEmpty()) {
        params.add(param(part, keywordOnly));
      }
    }
    return new Signature(
        parts[0],
        parts[1].substring(0, open),
        List.copyOf(params),
        parts[1].endsWith("|deprecated"));
  }

  private static Param param(String text, boolean keywordOnly) {
    final int space = text.indexOf(' ');
    String type = text.substring(0, space);
    final String[] name = text.substring(space + 1).split("=", 2);
    final String fallback = name.length > 1 ? name[1] : null;
    final boolean none = type.contains("?") || "None".equals(fallback);
    int size = 0;
    if (type.endsWith("?")) {
      type = type.substring(0, type.length() - 1);
    }
    if (type.endsWith("]")) {
      size = Integer.parseInt(type.substring(type.indexOf('[') + 1, type.length() - 1));
      type = type.substring(0, type.indexOf('['));
    }
    final Type known = type.contains("List<") ? Type.TENSORS : TYPES.getOrDefault(type, Type.OTHER);
    return new Param(name[0], known, size, type.startsWith("Sym"), none, keywordOnly, fallback);
  }

  boolean takesNumbersAsTensors() {
    return NUMBERS_AS_TENSORS.contains(name);
  }

  int required() {
    return (int) params.stream().filter(p -> p.fallback == null).count();
  }

  int positional() {
    int count = 0;
    while (count < params.size() && !params.get(count).keywordOnly) {
      count++;
    }
    return count;
  }

  /** Whether the only positional parameter is a list of ints: x.view(2, 3) for x.view((2, 3)). */
  boolean takesInts() {
    return positional() == 1 && params.get(0).type == Type.INTS;
  }

  /** As PyTorch's errors show it. */
  @Override
  public String toString() {
    final List<String> texts = params.stream().map(Param::toString).collect(Collectors.toList());
    if (positional() < params.size()) {
      texts.add(positional(), "*");
    }
    return "(" + String.join(", ", texts) + ")";
  }

  /** Those of a text of operators.txt in the order in which they are tried. */
  static List<Signature> parseAll(String... lines) {
    final List<Signature> all =
        Arrays.stream(lines).map(Signature::parse).collect(Collectors.toList());
    all.sort((a, b) -> Boolean.compare(a.deprecated, b.deprecated));
    return List.copyOf(all);
  }
}
