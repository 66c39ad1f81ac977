package org.jloss.python;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jloss.Loss;
import org.jloss.Losses;
import org.jloss.Memory;
import org.jloss.Miner;
import org.jloss.Spec;
import org.jloss.parity.TensorEntry;
import org.jspecify.annotations.Nullable;

/** Values to and from a worker: tensors as copies, losses by their names and parameters. */
final class WireValues extends Values {
  @Override
  Object encodeOther(Object value) {
    if (value instanceof Tensor tensor) {
      return new Object[] {"tensor", TensorEntry.of(tensor), tensor.requires_grad()};
    }
    final Spec spec =
        value instanceof Loss loss ? loss.spec() : value instanceof Miner m ? m.spec() : null;
    if (spec == null || !LossSpecs.isRegistered(spec)) {
      throw new IllegalArgumentException(
          "expected a plain value, a tensor, or a loss or miner of the library to or from a worker,"
              + " got a "
              + (spec == null ? value.getClass().getName() : spec.id()));
    }
    final Map<String, @Nullable Object> parameters = new LinkedHashMap<>();
    for (final Spec.Parameter parameter : spec.parameters()) {
      parameters.put(parameter.name(), LossSpecs.plain(Losses.value(value, parameter)));
    }
    return new Object[] {"system", spec.id(), parameters};
  }

  @Override
  Object decodeOther(Object tree) {
    if (tree instanceof List<?> parts && parts.size() == 3) {
      if (parts.get(1) instanceof TensorEntry entry && parts.get(2) instanceof Boolean grad) {
        final Tensor tensor = entry.toTensor();
        if (grad && entry.dtype().isFloating()) {
          tensor.requires_grad_(true);
        }
        return tensor;
      }
      if (parts.get(1) instanceof String id && parts.get(2) instanceof Map<?, ?> given) {
        final Map<String, @Nullable Object> parameters = new LinkedHashMap<>();
        given.forEach((k, v) -> parameters.put(String.valueOf(k), v));
        final Spec spec = Losses.spec(id);
        if (!Memory.class.isAssignableFrom(spec.type())) { // which takes what it is told to take
          return Losses.instantiate(spec, parameters);
        }
      }
    }
    throw new IllegalArgumentException("expected a value of Python's, got " + tree);
  }
}
