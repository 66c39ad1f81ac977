package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Reduction;
import org.jloss.Tensors;
import org.jloss.regression.MseLoss;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Values between Java and Python. */
class PythonBridgeTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() {
    python = PythonBridge.create();
    python.exec("import jloss");
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  @Test
  void plainValues() {
    python.set("n", 3);
    python.set("s", "text");
    python.set("none", null);
    assertEquals(4L, python.eval("n + 1"));
    assertEquals(1.5, python.eval("n / 2"));
    assertEquals(2.0, python.eval("2.0"));
    assertEquals(true, python.eval("n == 3"));
    assertEquals("TEXT", python.eval("s.upper()"));
    assertNull(python.get("none"));
    assertEquals(List.of(1L, "a"), python.eval("[1, 'a']"));
  }

  @Test
  void tensorsShareTheirData() {
    try (Tensor x = Tensors.of(new float[] {1, 2, 3})) {
      python.set("x", x);
      python.exec("x += 1");
      assertArrayEquals(new float[] {2, 3, 4}, Tensors.toFloats(x));
      try (Tensor doubled = (Tensor) python.eval("x * 2")) {
        assertArrayEquals(new float[] {4, 6, 8}, Tensors.toFloats(doubled));
      }
    }
    assertEquals(9.0, python.eval("x.sum().item()"));
  }

  @Test
  void losses() {
    python.set("loss", new MseLoss(Reduction.SUM));
    assertEquals("MseLoss(reduction='sum')", python.eval("repr(loss)"));
    assertEquals(new MseLoss(Reduction.NONE), python.eval("jloss.MseLoss(reduction='none')"));
  }

  @Test
  void errors() {
    final PythonException error =
        assertThrows(PythonException.class, () -> python.exec("{}['key']"));
    assertEquals("KeyError", error.type());
    assertEquals("KeyError: 'key'", error.getMessage());
    assertTrue(error.traceback().startsWith("Traceback (most recent call last):"));
    assertThrows(IllegalArgumentException.class, () -> python.set("o", new Object()));
    assertThrows(PythonException.class, () -> python.get("nowhere"));
  }

  @Test
  void exportedMembersHandOutNoPointer() {
    int exported = 0;
    for (final Class<?> type :
        List.of(
            Host.class,
            PyTensor.class,
            PyLoss.class,
            PyMiner.class,
            PyMemory.class,
            PyError.class,
            PyCode.class)) {
      for (final Method method : type.getDeclaredMethods()) {
        if (method.isAnnotationPresent(HostAccess.Export.class)) {
          exported++;
          Stream.concat(
                  Stream.of(method.getReturnType()), Arrays.stream(method.getParameterTypes()))
              .forEach(t -> assertFalse(Pointer.class.isAssignableFrom(t), method.toString()));
        }
      }
      assertTrue(
          Arrays.stream(type.getFields())
              .noneMatch(f -> f.isAnnotationPresent(HostAccess.Export.class)));
      assertTrue(
          Arrays.stream(type.getConstructors())
              .noneMatch(c -> c.isAnnotationPresent(HostAccess.Export.class)));
      assertTrue(Modifier.isFinal(type.getModifiers()), type.toString());
    }
    assertTrue(exported > 20);
  }
}
