package org.jloss.parity;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What became of one reference case.
 *
 * @param id the loss
 * @param file the file that holds the case
 * @param name the case's name
 * @param dtype the case's dtype
 * @param reasons why it failed, a line each; empty if it passed
 * @param comparisons the comparison of each expected result; empty if the evaluation failed
 * @param errors the errors against float64, where the case has the truth
 */
public record CaseResult(
    String id,
    Path file,
    String name,
    DType dtype,
    List<String> reasons,
    List<Comparison> comparisons,
    TruthErrors errors) {

  /** Makes the lists unmodifiable. */
  public CaseResult {
    reasons = List.copyOf(reasons);
    comparisons = List.copyOf(comparisons);
  }

  /**
   * {@return what becomes of a case} Whatever the evaluator throws is a reason, but for errors of
   * the virtual machine other than memory.
   *
   * @param reference the case
   * @param evaluator the implementation under test
   */
  public static CaseResult of(ReferenceCase reference, Evaluator evaluator) {
    final List<String> reasons = new ArrayList<>();
    List<Comparison> comparisons = List.of();
    TruthErrors errors = TruthErrors.NONE;
    try {
      final Map<String, TensorEntry> actual = evaluator.evaluate(reference);
      comparisons = Comparison.of(reference, actual, evaluator.normaliser(reference));
      errors = TruthErrors.of(reference, actual);
      for (final Comparison comparison : comparisons) {
        if (!comparison.passed()) {
          reasons.add(comparison.output() + ": " + comparison.reason());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      reasons.add("interrupted");
    } catch (Exception | OutOfMemoryError | LinkageError | AssertionError e) {
      reasons.add(describe(e));
    }
    return new CaseResult(
        reference.id(),
        reference.file(),
        reference.name(),
        reference.dtype(),
        reasons,
        comparisons,
        errors);
  }

  private static String describe(Throwable e) {
    final String message = e.getMessage();
    final String line = message == null ? "" : message.lines().findFirst().orElse("");
    return e.getClass().getSimpleName() + (line.isEmpty() ? "" : ": " + line);
  }

  /** {@return whether every expected result came and was PyTorch's} */
  public boolean passed() {
    return reasons.isEmpty();
  }

  /** {@return name and dtype, such as {@code mean-1000/float32}} */
  public String key() {
    return name + "/" + dtype.torchName();
  }
}
