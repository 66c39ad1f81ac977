// The logistic function and its kin, without loss of digits at either end.
#pragma once

namespace jloss {

/// softplus(-x) = -log sigmoid(x), sigmoid(x) and sigmoid(-x), from one exponential.
template <class V>
struct Logistic {
  V softplus_neg, positive, negative;

  explicit Logistic(V x) {
    const V zero(0), one(1);
    const V z = x.abs().neg().exp();
    const V small = z / (one + z), large = one / (one + z);
    const auto above = x >= zero;
    // max(-x, 0) by a blend, so that NaN stays.
    softplus_neg = z.log1p() + V::blendv(x.neg(), zero, above);
    positive = V::blendv(small, large, above);
    negative = V::blendv(large, small, above);
  }
};

/// q^gamma for q >= 0, without pow for integers and half-integers.
template <class V>
V power(V q, double gamma) {
  const int whole = static_cast<int>(gamma);
  const double rest = gamma - whole;
  if (gamma > 8 || (rest != 0 && rest != 0.5)) {
    return q.pow(V(static_cast<typename V::value_type>(gamma)));
  }
  V result = rest == 0 ? V(1) : q.sqrt();
  for (int i = 0; i < whole; ++i) {
    result = result * q;
  }
  return result;
}

/// A focal factor q^gamma, q in [0, 1], and its derivative; for gamma < 1 the derivative is 0 at q
/// = 0.
template <class V>
struct FocalFactor {
  V value, derivative;

  FocalFactor(V q, double gamma) {
    const V g(static_cast<typename V::value_type>(gamma)), zero(0);
    value = power(q, gamma);
    derivative = gamma >= 1 ? g * power(q, gamma - 1) : V::blendv(g * value / q, zero, q == zero);
  }
};

}  // namespace jloss
