package org.jloss.parity;

import java.util.Map;

/** Computes a reference case with the implementation under test. */
@FunctionalInterface
public interface Evaluator {
  /**
   * {@return the results by the names of {@link ReferenceCase#expected()}: {@code value} or {@code
   * output/name}, {@code grad/input} and {@code gradgrad/input}} More than expected does no harm.
   *
   * @param reference the case
   * @throws Exception whatever goes wrong; the case has then failed, with the exception as reason
   */
  Map<String, TensorEntry> evaluate(ReferenceCase reference) throws Exception;

  /**
   * {@return the number that the case's reduction divides by} Gradients are compared after they
   * have been multiplied by it, as otherwise the absolute tolerance would let any gradient of a
   * mean pass.
   *
   * @param reference the case
   */
  default double normaliser(ReferenceCase reference) {
    return 1;
  }
}
