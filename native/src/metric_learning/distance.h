// Distances between rows, composed for formulas.
#pragma once

#include <ATen/ATen.h>
#include <jloss/metric_learning.h>

#include "core/check.h"
#include "core/formulas.h"

namespace jloss {

inline void check_distance(const char* loss, int64_t distance) {
  TORCH_CHECK_VALUE(distance >= kEuclidean && distance <= kSnr, loss,
                    ": expected distance euclidean (0), squared_euclidean (1), cosine (2), dot (3) "
                    "or snr (4), got ",
                    distance);
}

/// The p of a norm.
inline void check_norm(const char* loss, double p) {
  TORCH_CHECK_VALUE(p > 0, loss, ": expected p > 0, got ", p);
}

inline void check_finite(const char* loss, const char* name, double value) {
  TORCH_CHECK_VALUE(std::isfinite(value), loss, ": expected ", name, " to be finite, got ", value);
}

/// Distance along the last axis; similarities with the sign turned.
inline at::Tensor distance_between(const at::Tensor& x, const at::Tensor& y, int64_t distance,
                                   double p = 2, double eps = 0) {
  switch (distance) {
    case kEuclidean:
      // keepdim: torch 2.10 traces the norm along an axis of one element to a shape that keeps it.
      return at::linalg_vector_norm(x - y + eps, p, -1, /*keepdim=*/true).squeeze(-1);
    case kSquaredEuclidean:
      return (x - y).square().sum(-1);
    case kCosine:
      return -(normalized(x) * normalized(y)).sum(-1);
    case kDot:
      return -(x * y).sum(-1);
    default:
      return (x - y).var(-1) / x.var(-1);
  }
}

}  // namespace jloss
