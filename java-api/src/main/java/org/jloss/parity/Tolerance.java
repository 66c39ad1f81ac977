package org.jloss.parity;

/**
 * How far a number may be from PyTorch's.
 *
 * @param rtol the difference allowed as a part of the expected number
 * @param atol the difference allowed besides
 * @param ofLargest for gradients: the difference allowed as a part of the largest expected number
 * @param reason why it is wider than usual; empty for the usual one
 */
public record Tolerance(double rtol, double atol, double ofLargest, String reason) {
  /** Checks that the numbers are finite and not negative. */
  public Tolerance {
    if (!(rtol >= 0 && atol >= 0 && ofLargest >= 0 && rtol + atol + ofLargest < 1e300)) {
      throw new IllegalArgumentException(
          "a tolerance must be finite and not negative, not rtol " + rtol + ", atol " + atol);
    }
  }

  /**
   * {@return the usual tolerance: rtol and atol are torch.testing's} Of a gradient's largest
   * element 1e-5 is allowed in float32 and 1e-10 in float64. float16 and bfloat16 cannot tell so
   * small parts apart: 4 units of their eps are allowed there. Integers and truth values must be
   * equal.
   *
   * @param dtype the dtype of the result
   */
  public static Tolerance of(DType dtype) {
    return switch (dtype) {
      case F16 -> new Tolerance(1e-3, 1e-5, 4 * dtype.eps(), "");
      case BF16 -> new Tolerance(1.6e-2, 1e-5, 4 * dtype.eps(), "");
      case F32 -> new Tolerance(1.3e-6, 1e-5, 1e-5, "");
      case F64 -> new Tolerance(1e-7, 1e-7, 1e-10, "");
      default -> new Tolerance(0, 0, 0, "");
    };
  }

  /**
   * {@return a tolerance that a case states} Of a gradient's largest element it allows {@code
   * rtol}, if that is more than usual.
   *
   * @param dtype the dtype of the case
   * @param rtol the relative part
   * @param atol the absolute part
   * @param reason why the usual tolerance does not do
   * @throws IllegalArgumentException if a number is negative or not finite or there is no reason
   */
  public static Tolerance stated(DType dtype, double rtol, double atol, String reason) {
    if (reason.isBlank()) {
      throw new IllegalArgumentException("a tolerance of its own needs a reason");
    }
    return new Tolerance(rtol, atol, Math.max(of(dtype).ofLargest, rtol), reason);
  }

  /** The looser of two usual tolerances, as torch.testing takes for two dtypes. */
  Tolerance or(Tolerance other) {
    return other.rtol > rtol ? other : this;
  }
}
