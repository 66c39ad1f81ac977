// From tensors to the pointwise loop and back.
#pragma once

#include "core/loss.h"
#include "kernels/pointwise.h"

namespace jloss {

/// A pointwise loss over inputs (x, t, weight or undefined, extra or undefined).
struct PointwiseLoss {
  const Kernels<Pointwise>& kernel;
  int64_t reduction;
  std::array<double, 4> params = {};
  bool mean_by_weight = false;  ///< mean = sum / sum of weights, else sum / numel

  at::Tensor operator()(at::TensorList inputs, const at::Tensor& upstream, uint32_t wanted,
                        Gradients& gradients) const;
};

}  // namespace jloss
