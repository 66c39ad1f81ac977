package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.jloss.Losses;
import org.jloss.Spec;
import org.junit.jupiter.api.Test;

/** The type stubs are Python, are packaged, and have every loss. */
class StubsTest {
  @Test
  void everyLossIsInThem() {
    for (final Spec spec : Losses.all()) {
      assertTrue(Stubs.classes().contains("class " + spec.type().getSimpleName() + "("));
      assertEquals(
          !LossSpecs.kind(spec).equals("memory"),
          Stubs.functions().contains("def " + spec.id() + "("));
    }
    final String folder = "/GRAALPY-VFS/org.jloss/jloss-python/src/jloss/";
    assertNotNull(Stubs.class.getResource(folder + "__init__.pyi"));
    assertNotNull(Stubs.class.getResource(folder + "functional.pyi"));
  }

  @Test
  void theyParse() {
    try (PythonBridge python = PythonBridge.create()) {
      python.set("classes", Stubs.classes());
      python.set("functions", Stubs.functions());
      assertEquals(
          true,
          python.eval("len([compile(s, 'stub', 'exec') for s in (classes, functions)]) == 2"));
    }
  }
}
