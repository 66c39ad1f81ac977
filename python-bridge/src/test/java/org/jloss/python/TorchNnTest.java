package org.jloss.python;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * torch.nn, torch.optim and the rest return what they return in CPython: the cases are scripts in
 * src/test/resources/torch, recorded there by record.py.
 */
class TorchNnTest {
  private static PythonBridge python;

  @BeforeAll
  static void start() throws IOException {
    // Kept, as CPython reads them afterwards: see tests/operators/test_torch_files.py.
    final Path folder = Files.createDirectories(Path.of("target/torch-files")).toAbsolutePath();
    final Path cases = Path.of("src/test/resources/torch").toAbsolutePath();
    python = PythonBridge.builder().readFolder(cases).writeFolder(folder).build();
    python.set("cases", cases.toString());
    python.set("folder", folder.toString());
    python.exec(
        """
        import sys, json
        sys.path.insert(0, cases)
        import record
        record.folder = folder
        expected = json.load(open(cases + "/expected.json"))
        """);
  }

  @AfterAll
  static void stop() {
    python.close();
  }

  @TestFactory
  Stream<DynamicTest> isPyTorchs() {
    final List<?> names =
        (List<?>) python.eval("[m + ' ' + n for m, found in expected.items() for n in found]");
    return names.stream().map(String.class::cast).map(TorchNnTest::test);
  }

  private static DynamicTest test(String name) {
    return DynamicTest.dynamicTest(
        name,
        () -> assertEquals("", python.eval("record.check(*'" + name + "'.split(), expected)")));
  }
}
