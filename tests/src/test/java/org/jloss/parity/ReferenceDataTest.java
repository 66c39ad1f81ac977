package org.jloss.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The committed reference files are sound and would show an error. */
class ReferenceDataTest {
  private static final Path DATA = Path.of(System.getProperty("jloss.reference", "reference/data"));

  static List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(DATA)) {
      final List<String> names =
          files
              .map(file -> file.getFileName().toString())
              .filter(name -> name.endsWith(".safetensors"))
              .sorted()
              .toList();
      assertFalse(names.isEmpty());
      return names;
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void holdsSoundCases(String name) throws IOException {
    final ReferenceFile file = ReferenceFile.read(DATA.resolve(name));
    assertEquals(name, file.id() + ".safetensors");
    assertFalse(file.cases().isEmpty());
    int corrupted = 0;
    int gradients = 0;
    for (final ReferenceCase reference : file.cases()) {
      corrupted += Comparison.selfTest(reference);
      gradients += reference.gradients().size();
      for (final String input : reference.inputs().keySet()) {
        try (Tensor tensor = reference.inputTensor(input)) {
          assertArrayEquals(
              reference.inputs().get(input).toDoubles(),
              TensorEntry.of(tensor).toDoubles(),
              () -> reference + " " + input);
        }
      }
    }
    assertTrue(gradients == 0 || corrupted > 0);
  }

  @ParameterizedTest
  @MethodSource("files")
  void agreesWithItself(String name) throws IOException {
    final ReferenceFile file = ReferenceFile.read(DATA.resolve(name));
    ParityReport.run(List.of(file), ReferenceCase::expected).assertPassed();
  }
}
