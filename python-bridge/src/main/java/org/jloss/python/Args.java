package org.jloss.python;

import java.util.ArrayList;
import java.util.List;
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

  private Args() {}

  /** A Python slice; null where it was left out. */
  record Slice(@Nullable Object start, @Nullable Object stop, @Nullable Object step) {}

  /** Something that no operator takes. */
  record Unknown(String type) {}

  static @Nullable Object of(Value value) {
    if (value.isHostObject()) {
      return value.asHostObject();
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
    if (value.hasMember(HANDLE)) {
      return value.getMember(HANDLE).asHostObject();
    }
    if (value.hasArrayElements()) {
      return list(value);
    }
    if (value.hasMember("start") && value.hasMember("stop") && value.hasMember("step")) {
      return new Slice(
          of(value.getMember("start")), of(value.getMember("stop")), of(value.getMember("step")));
    }
    return new Unknown(
        value.getMetaObject() == null ? "object" : value.getMetaObject().getMetaSimpleName());
  }

  static List<@Nullable Object> list(Value values) {
    final int count = Math.toIntExact(values.getArraySize());
    final List<@Nullable Object> all = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      all.add(of(values.getArrayElement(i)));
    }
    return all;
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
      return "dtype";
    }
    return value instanceof Unknown unknown ? unknown.type() : "object";
  }
}
