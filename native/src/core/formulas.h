// Parts that formulas share.
#pragma once

#include <ATen/ATen.h>

namespace jloss {

/// x times a factor that may be undefined.
inline at::Tensor weighted(const at::Tensor& x, const at::Tensor& factor) {
  return factor.defined() ? x * factor : x;
}

/// Rows divided by their norms, as torch.nn.functional.normalize.
inline at::Tensor normalized(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

/// Binary cross entropy an element, see bce_with_logits_loss; pos_weight may be undefined.
inline at::Tensor bce_with_logits(const at::Tensor& x, const at::Tensor& t,
                                  const at::Tensor& pos_weight) {
  const auto softplus_neg = at::log_sigmoid(x).neg();
  const auto l = (1 - t) * x;
  return pos_weight.defined() ? l + (1 + (pos_weight - 1) * t) * softplus_neg : l + softplus_neg;
}

/// q^gamma for q in [0, 1]; where q = 0 the value is 0 and so are all derivatives (but for gamma
/// 0).
inline at::Tensor focal_factor(const at::Tensor& q, double gamma) {
  if (gamma == 0) {
    return at::ones_like(q);
  }
  // pow alone has an infinite or undefined derivative at 0 for gamma < 2.
  const auto zero = q == 0;
  return q.masked_fill(zero, 1).pow(gamma).masked_fill(zero, 0);
}

}  // namespace jloss
