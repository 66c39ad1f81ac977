package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.parity.CaseResult;
import org.jloss.parity.Comparison;
import org.jloss.parity.LossEvaluator;
import org.jloss.parity.ReferenceFile;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/** Every reference case of every loss, and the comparison's self-test on each. */
class ParityTest {
  private static final Path REFERENCE = Path.of(System.getProperty("jloss.reference"));

  @TestFactory
  List<DynamicNode> everyLossEqualsPyTorch() throws IOException {
    final List<DynamicNode> losses = new ArrayList<>();
    for (final Spec spec : Losses.all()) {
      final Path file = REFERENCE.resolve(spec.id() + ".safetensors");
      assertTrue(Files.exists(file), spec.id() + " has no reference cases: " + file);
      final ReferenceFile reference = ReferenceFile.read(file);
      assertFalse(reference.cases().isEmpty(), file.toString());
      losses.add(
          dynamicContainer(
              spec.id(),
              reference.cases().stream()
                  .map(
                      c ->
                          dynamicTest(
                              c.key(),
                              () -> {
                                Comparison.selfTest(c);
                                final CaseResult result = CaseResult.of(c, new LossEvaluator());
                                assertTrue(
                                    result.passed(),
                                    () -> c + ": " + String.join("; ", result.reasons()));
                              }))));
    }
    return losses;
  }
}
