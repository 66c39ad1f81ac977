// Regression losses.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// Mean squared error: l = (input - target)^2.
///
/// input, target (*): floating, equal shapes (nothing is broadcast). weight (*): optional factor an
/// element, broadcast to input. Value: (*) for reduction none; sum; mean = sum / numel, with
/// weight sum(w l) / sum(w).
/// Throws ValueError on unequal shapes, TypeError on unequal or integral dtypes.
/// Source: torch.nn.functional.mse_loss.
JLOSS_API at::Tensor mse_loss(const at::Tensor& input, const at::Tensor& target,
                              const std::optional<at::Tensor>& weight = std::nullopt,
                              int64_t reduction = kMean, Gradients* gradients = nullptr);

}  // namespace jloss
