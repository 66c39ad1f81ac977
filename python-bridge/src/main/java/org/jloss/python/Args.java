package org.jloss.python;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.graalvm.polyglot.Value;
import org.jspecify.annotations.Nullable;

/**
 * Python's values as Java's: None as null, bool, int and float as Boolean, Long and Double, str as
 * String, lists and tuples as List, tensors as {@link PyTensor}, dtypes as {@link PyCode}, slices
 * as {@link Slice}.
 */
final class Args {
  /** The member by which objects of the Python package carry their Java object. */
  static final String HANDLE = "_jloss";

  /** Python's types as dtypes. */
  private static final Map<String, PyCode> PYTHONS_TYPES =
      Map.of(
          "float", PyCode.dtype(7),
          "int", PyCode.dtype(4),
          "bool", PyCode.dtype(11),
          "complex", PyCode.dtype(10));

  private Args() {}

  /** A Python slice; null where it was left out. */
  record Slice(@Nullable Object start, @Nullable Object stop, @Nullable Object step) {}

  /** A complex number of Python's. */
  record Complex(double real, double imag) {}

  /** Something that no operator takes. */
  record Unknown(String type) {}

  static @Nullable Object of(Value value) {
    if (value.isHostObject()) {
      return value.asHostObject();
    }
    // First what is asked most: each question takes an interpreter longer than an operator takes.
    if (value.hasMember(HANDLE)) {
      return value.getMember(HANDLE).asHostObject();
    }
    if (value.isNull()) {
      return null;
    }
    if (value.isBoolean()) {
      return value.asBoolean();
    }
    if (value.isNumber()) {
      // An int of Python arrives as Integer or Long, a float as Double even where it is whole.
      final Object number = value.as(Object.class);
      if (number instanceof Double || number instanceof Float) {
        return ((Number) number).doubleValue();
      }
      if (value.fitsInLong()) {
        return value.asLong();
      }
      throw new ArithmeticException("Overflow when unpacking long");
    }
    if (value.isString()) {
      return value.asString();
    }
    if (value.hasArrayElements()) {
      return list(value);
    }
    if (value.isMetaObject()) {
      final PyCode dtype = PYTHONS_TYPES.get(value.getMetaSimpleName());
      return dtype != null ? dtype : new Unknown("type");
    }
    if (value.hasMember("start") && value.hasMember("stop") && value.hasMember("step")) {
      return new Slice(
          of(value.getMember("start")), of(value.getMember("stop")), of(value.getMember("step")));
    }
    final Value type = value.getMetaObject();
    final String name = type == null ? "object" : type.getMetaSimpleName();
    return name.equals("complex")
        ? new Complex(value.getMember("real").asDouble(), value.getMember("imag").asDouble())
        : new Unknown(name);
  }

  /** The elements of a tuple or list. */
  static List<Value> values(Value values) {
    final int count = Math.toIntExact(values.getArraySize());
    final List<Value> all = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      all.add(values.getArrayElement(i));
    }
    return all;
  }

  static List<@Nullable Object> list(Value values) {
    final int count = Math.toIntExact(values.getArraySize());
    final List<@Nullable Object> all = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      all.add(of(values.getArrayElement(i)));
    }
    return all;
  }

  /** How many names there are, and values. GraalPy breaks at an element that is not there. */
  static int count(Value names, Value values) {
    final int count = Math.toIntExact(names.getArraySize());
    if (values.getArraySize() != count) {
      throw new IllegalArgumentException(
          "expected as many values as names, got " + values.getArraySize() + " for " + count);
    }
    return count;
  }

  /** What Python calls the type of a value, with its module where CPython's C code says so. */
  static String typeName(Value value) {
    if (value.isHostObject()) {
      final Object object = value.asHostObject(); // or it would be taken for a Value
      return typeName(object);
    }
    if (value.isNull() || value.isBoolean() || value.isNumber() || value.isString()) {
      return value.isNumber() && !value.fitsInLong() && !value.fitsInDouble()
          ? "int"
          : typeName(of(value));
    }
    final Value type = value.getMetaObject();
    final String name = type == null ? "object" : type.getMetaSimpleName();
    return switch (name) {
      case "dtype", "device", "layout", "memory_format", "Size" -> "torch." + name;
      case "Generator" -> "torch._C.Generator";
      default -> name;
    };
  }

  /** The same, with the types of a list's or a tuple's elements. */
  static String elements(Value value) {
    final String type = typeName(value);
    if (!type.equals("list") && !type.equals("tuple")) {
      return type;
    }
    final StringJoiner types = new StringJoiner(", ");
    for (long i = 0; i < value.getArraySize(); i++) {
      types.add(typeName(value.getArrayElement(i)));
    }
    if (type.equals("list")) {
      return "list of [" + types + "]";
    }
    return "tuple of (" + types + (value.getArraySize() == 1 ? ",)" : ")");
  }

  /** What Python calls the type of a value. */
  static String typeName(@Nullable Object value) {
    if (value == null) {
      return "NoneType";
    }
    if (value instanceof Boolean) {
      return "bool";
    }
    if (value instanceof Long) {
      return "int";
    }
    if (value instanceof Double) {
      return "float";
    }
    if (value instanceof Complex) {
      return "complex";
    }
    if (value instanceof String) {
      return "str";
    }
    if (value instanceof List) {
      return "list";
    }
    if (value instanceof PyTensor) {
      return "Tensor";
    }
    if (value instanceof PyCode) {
      return "torch.dtype";
    }
    return value instanceof Unknown unknown ? unknown.type() : "object";
  }
}
