// Regression losses.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// Mean squared error: l = (input - target)^2.
///
/// input, target (*): floating, equal shapes (nothing is broadcast). weight (*): optional factor an
/// element, of the same shape. Value: (*) for reduction none; sum; mean = sum / numel, with
/// weight sum(w l) / sum(w).
/// Throws ValueError on unequal shapes, TypeError on unequal or integral dtypes.
/// Source: torch.nn.functional.mse_loss.
JLOSS_API at::Tensor mse_loss(const at::Tensor& input, const at::Tensor& target,
                              const std::optional<at::Tensor>& weight = std::nullopt,
                              int64_t reduction = kMean, Gradients* gradients = nullptr);

/// Huber loss: with e = input - target, l = e^2 / 2 where |e| <= delta, else delta (|e| - delta /
/// 2).
///
/// input, target (*): floating, equal shapes. weight (*): optional factor an element, of the same
/// shape. delta > 0. Value: (*) for none; sum; mean = sum / numel, with weight too. Throws
/// ValueError on unequal shapes or a delta out of range, TypeError on dtypes. Source:
/// torch.nn.functional.huber_loss.
JLOSS_API at::Tensor huber_loss(const at::Tensor& input, const at::Tensor& target,
                                const std::optional<at::Tensor>& weight = std::nullopt,
                                int64_t reduction = kMean, double delta = 1.0,
                                Gradients* gradients = nullptr);

/// Quantile (pinball) loss: with e = target - input, l = max(tau e, (tau - 1) e).
///
/// One tau in (0, 1): input, target (*) of equal shapes. Several taus: input (*, Q), target (*),
/// one quantile an entry of the last axis. At a tie e = 0 the gradient is 0. Value: as input for
/// none; sum; mean = sum / numel(input). Throws ValueError on shapes or a tau out of range,
/// TypeError on dtypes. Source: Koenker and Bassett, 1978.
JLOSS_API at::Tensor quantile_loss(const at::Tensor& input, const at::Tensor& target,
                                   at::ArrayRef<double> tau, int64_t reduction = kMean,
                                   Gradients* gradients = nullptr);

}  // namespace jloss
