package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
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

  /** What mypy cannot see: that the hand-written stubs have what the package has. */
  @Test
  void theyHaveWhatThePackageHas() {
    try (PythonBridge python = PythonBridge.create()) {
      for (final String module :
          List.of("_data", "_dtypes", "_own", "_systems", "_tensor", "_tuples")) {
        python.set("stub", read(module + ".pyi"));
        python.exec(
            """
            import importlib, jloss
            module = importlib.import_module("jloss.%s")
            missing = []
            for name, value in vars(module).items():
                if name in dir(jloss) and getattr(value, "__module__", None) == module.__name__:
                    if not any(s + name in stub for s in ("class ", "def ", chr(10))):
                        missing.append(name)
                    for n in vars(value) if isinstance(value, type) else ():
                        if n[0] != "_" and f"    def {n}(" not in stub and f"    {n}: " not in stub:
                            missing.append(f"{name}.{n}")
            """
                .formatted(module));
        assertEquals("[]", python.eval("str(missing)"), module);
      }
    }
  }

  private static String read(String name) {
    final String folder = "/GRAALPY-VFS/org.jloss/jloss-python/src/jloss/";
    try (InputStream in = Stubs.class.getResourceAsStream(folder + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
