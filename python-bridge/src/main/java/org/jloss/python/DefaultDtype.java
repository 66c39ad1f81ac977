package org.jloss.python;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The dtype that an interpreter's scripts have set for floats that are given none.
 *
 * <p>libtorch has one such setting for the process, float32, which is left alone. Here the dtype is
 * named to operators that make tensors; and where an operator took libtorch's for the result of
 * integers, it is called again with those integers as floats of the interpreter's dtype, which is
 * what it does with them itself.
 */
final class DefaultDtype {
  private static final long FLOAT = 6;
  private static final long COMPLEX_FLOAT = 9;

  /** These make integers of integers. */
  private static final Set<String> OF_THEIR_NUMBERS = Set.of("arange", "full");

  private final NativeOps ops;
  private final long dtype;

  /**
   * A default dtype.
   *
   * @param dtype libtorch's number of it
   */
  DefaultDtype(NativeOps ops, long dtype) {
    this.ops = ops;
    this.dtype = dtype;
  }

  /** Calls an overload, see {@link NativeOps#run}. */
  @Nullable Object run(Schema schema, Object[] bound) {
    if (dtype == FLOAT) {
      return ops.runPlainly(schema, bound);
    }
    final int place = schema.defaultDtype();
    if (place >= 0 && isAbsent(bound[place])) {
      final Object[] named = bound.clone();
      if (!OF_THEIR_NUMBERS.contains(schema.name())
          || Arrays.stream(bound).anyMatch(Double.class::isInstance)) {
        named[place] = PyCode.dtype(dtype);
      }
      return ops.runPlainly(schema, named);
    }
    final Object result = ops.runPlainly(schema, bound);
    return isOfTheDefault(result) && !schema.mutates() && !decides(schema, bound)
        ? again(schema, bound)
        : result;
  }

  private static boolean isAbsent(@Nullable Object argument) {
    return argument == null || argument == Arguments.ABSENT;
  }

  private static boolean isOfTheDefault(@Nullable Object result) {
    return result instanceof PyTensor tensor
        ? tensor.dtype() == FLOAT || tensor.dtype() == COMPLEX_FLOAT
        : result instanceof Object[] all && Arrays.stream(all).anyMatch(r -> isOfTheDefault(r));
  }

  /** Whether the arguments say the dtype of the result: floats among the tensors, or a dtype. */
  private static boolean decides(Schema schema, Object[] bound) {
    for (int i = 0; i < bound.length; i++) {
      if (schema.arguments().get(i).name().equals("dtype") && !isAbsent(bound[i])) {
        return true;
      }
      final List<?> given = bound[i] instanceof List<?> list ? list : Arrays.asList(bound[i]);
      for (final Object one : given) {
        if (one instanceof PyTensor tensor && !isInteger(tensor)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean isInteger(PyTensor tensor) {
    return !tensor.tensor().is_floating_point() && !tensor.tensor().is_complex();
  }

  private @Nullable Object again(Schema schema, Object[] bound) {
    // Its numbers would be of libtorch's default.
    final Schema other = schema.target().equals("where.Scalar") ? ops.schema("where.self") : schema;
    final Object[] floats = bound.clone();
    for (int i = 0; i < bound.length; i++) {
      final Schema.Argument argument = other.arguments().get(i);
      if (!argument.name().equals("condition")) {
        floats[i] =
            bound[i] instanceof List<?> list && argument.kind() == Schema.Kind.TENSORS
                ? list.stream().map(e -> asFloat(e)).toList()
                : argument.kind() == Schema.Kind.TENSOR && !isAbsent(bound[i])
                    ? asFloat(bound[i])
                    : bound[i];
      }
    }
    return ops.runPlainly(other, floats);
  }

  private Object asFloat(Object value) {
    return value instanceof PyTensor tensor
        ? ops.tensor("to.dtype", tensor, PyCode.dtype(dtype))
        : ops.tensor("full", List.of(), value, PyCode.dtype(dtype));
  }
}
