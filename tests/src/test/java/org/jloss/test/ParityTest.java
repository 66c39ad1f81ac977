package org.jloss.test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jloss.Losses;
import org.jloss.Spec;
import org.jloss.parity.CaseResult;
import org.jloss.parity.Comparison;
import org.jloss.parity.DType;
import org.jloss.parity.LossEvaluator;
import org.jloss.parity.ParityReport;
import org.jloss.parity.ReferenceCase;
import org.jloss.parity.ReferenceFile;
import org.jloss.parity.TruthErrors;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * Every reference case of every loss, the comparison's self-test on each, and the accuracy rule
 * over all of them.
 */
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
      final List<CaseResult> results = new ArrayList<>();
      final Stream<DynamicNode> cases =
          reference.cases().stream().map(c -> dynamicTest(c.key(), () -> results.add(test(c))));
      final DynamicNode accuracy =
          dynamicTest("as accurate as PyTorch", () -> assertAsAccurate(reference, results));
      losses.add(dynamicContainer(spec.id(), Stream.concat(cases, Stream.of(accuracy))));
    }
    return losses;
  }

  private static CaseResult test(ReferenceCase reference) {
    Comparison.selfTest(reference);
    final CaseResult result = CaseResult.of(reference, new LossEvaluator());
    assertTrue(result.passed(), () -> reference + ": " + String.join("; ", result.reasons()));
    return result;
  }

  /** Over all of a loss's cases, those before. */
  private static void assertAsAccurate(ReferenceFile file, List<CaseResult> results) {
    final TruthErrors errors =
        new ParityReport.Row(file.id(), file.oracle(), file.versions(), results).errors();
    final boolean differentiable =
        file.cases().stream().anyMatch(c -> c.dtype() == DType.F32 && !c.truth().isEmpty());
    assertEquals(differentiable, errors.count() > 0, "errors were measured");
    assertTrue(errors.isAsAccurate(), errors::toString);
  }
}
