package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.stream.Stream;
import org.jloss.ClassWeights;
import org.jloss.Losses;
import org.jloss.Numbers;
import org.jloss.Reduction;
import org.jloss.Spec;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The records of losses: defaults, and copies with one component changed. */
class RecordsTest {
  @TestFactory
  Stream<DynamicTest> copiesDifferInOneComponent() {
    return Losses.all().stream()
        .filter(spec -> spec.type().isRecord())
        .map(spec -> dynamicTest(spec.id(), () -> everyComponent(spec)));
  }

  private static void everyComponent(Spec spec) throws Exception {
    final Object usual = spec.type().getConstructor().newInstance();
    for (final RecordComponent changed : spec.type().getRecordComponents()) {
      final Object value = another(spec, changed, changed.getAccessor().invoke(usual));
      final Object copy = copy(usual, changed, value);
      for (final RecordComponent component : spec.type().getRecordComponents()) {
        assertEquals(
            component.getName().equals(changed.getName())
                ? value
                : component.getAccessor().invoke(usual),
            component.getAccessor().invoke(copy),
            changed.getName() + " changed: " + component.getName());
      }
      assertNotEquals(usual, copy, changed.getName());
    }
  }

  /** What the copying accessor gives; of numbers it takes an array. */
  private static Object copy(Object record, RecordComponent changed, Object value)
      throws ReflectiveOperationException {
    final Object argument = value instanceof Numbers numbers ? numbers.toArray() : value;
    final Class<?> type = argument instanceof double[] ? double[].class : changed.getType();
    return record.getClass().getMethod(changed.getName(), type).invoke(record, argument);
  }

  /** A legal value that is not this one. */
  private static Object another(Spec spec, RecordComponent component, Object value) {
    final Class<?> type = component.getType();
    if (type == boolean.class) {
      return !(Boolean) value;
    }
    if (type == double.class || type == Double.class) {
      return value == null || (Double) value != 0.75 ? 0.75 : 0.5;
    }
    if (type == long.class || type == Long.class) {
      return value == null || (Long) value != 1 ? 1L : 0L;
    }
    if (type == Reduction.class) {
      return spec.reductions().stream().filter(r -> r != value).findFirst().orElseThrow();
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[((Enum<?>) value).ordinal() == 0 ? 1 : 0];
    }
    if (type == ClassWeights.class) {
      return ClassWeights.of(1, 2);
    }
    if (type == Numbers.class) {
      return Numbers.of(0.25, 0.75);
    }
    final Class<?> element =
        spec.parameters().stream()
            .filter(p -> p.component().equals(component.getName()))
            .findFirst()
            .orElseThrow()
            .type();
    return List.of(element.isEnum() ? element.getEnumConstants()[1] : (Object) 1L);
  }
}
