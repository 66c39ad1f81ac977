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

/// The inputs of a loss on binary logits, checked: (input, target, weight, pos_weight), with both
/// weights broadcast over input.
std::vector<at::Tensor> binary_inputs(const char* name, const at::Tensor& input,
                                      const at::Tensor& target,
                                      const std::optional<at::Tensor>& weight,
                                      const std::optional<at::Tensor>& pos_weight);

}  // namespace jloss
