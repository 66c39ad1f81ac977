// The logistic function and its kin, without loss of digits at either end.
#pragma once

#include <limits>
#include <type_traits>

#include "kernels/exp.h"

namespace jloss {

/// log(1 + z) for z in [0, 1]. In float32 by 2 atanh(z / (2 + z)), whose series is short there:
/// half the time of the general function, and with the rests of sum and quotient as exact.
template <class V>
V log1p_of_unit(V z) {
  if constexpr (std::is_same_v<typename V::value_type, float>) {
    const V two(2), sum = two + z, inverse = V(1) / sum;
    const V s = z * inverse, w = s * s;
    // What rounding took from the sum and from the quotient.
    const V rest = fmadd(s.neg(), sum, z) - s * (z - (sum - two));
    // (atanh(s) / s - 1) / w by least maximum error over w in [0, 1/9]: 5e-9 of the result.
    V series = fmadd(V(0x1.1ef574p-3f), w, V(0x1.1eb6a0p-3f));
    series = fmadd(series, w, V(0x1.99d274p-3f));
    series = fmadd(series, w, V(0x1.555500p-2f));
    return two * (s + fmadd(s * w, series, rest * inverse));
  } else {
    return z.log1p();
  }
}

/// softplus(-x) = -log sigmoid(x), sigmoid(x) and sigmoid(-x), from one exponential.
template <class V>
struct Logistic {
  V softplus_neg, positive, negative;
  V rest;  // of softplus(-x) beyond max(-x, 0)

  explicit Logistic(V x) {
    const V zero(0), one(1);
    const V z = exp(x.abs().neg());
    const V small = z / (one + z), large = one / (one + z);
    const auto above = x >= zero;
    // max(-x, 0) by a blend, so that NaN stays.
    rest = log1p_of_unit(z);
    softplus_neg = rest + V::blendv(x.neg(), zero, above);
    positive = V::blendv(small, large, above);
    negative = V::blendv(large, small, above);
  }

  /// (1 - t) x + (1 + (pw - 1) t) softplus(-x), as a sum of terms of one sign: -pw t x or (1 - t)
  /// x, and the rest. Taken as it stands, the first two terms would swallow the third where t is 0
  /// or 1.
  V cross_entropy(V x, V t, V pw) const {
    using T = typename V::value_type;
    const V zero(0), one(1), infinity(std::numeric_limits<T>::infinity());
    V large = V::blendv((one - t) * x, (pw * t * x).neg(), x < zero);
    // As torch, which computes inf - inf there.
    large = V::blendv(large, V(std::numeric_limits<T>::quiet_NaN()), x == infinity.neg());
    return large + (one + (pw - one) * t) * rest;
  }

  /// Its derivative by x: (1 - t) sigmoid(x) - pw t sigmoid(-x), which cancels at neither end.
  V cross_entropy_slope(V t, V pw) const {
    return (V(1) - t) * positive - pw * t * negative;
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
