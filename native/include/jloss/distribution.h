// Losses between distributions.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// Kullback-Leibler divergence of target from exp(input): l = target (log target - input), or with
/// log_target l = exp(target) (target - input).
///
/// input (*): floating, log-probabilities. target (*): probabilities, or log-probabilities with
/// log_target; same shape and dtype. Value: (*) for reduction none; sum; mean = sum / numel, which
/// is not the divergence; batchmean = sum / N, which is. A probability 0 adds 0;
/// the gradient of a probability target is log target + 1 - input, NaN at 0 as in torch.
/// A scalar is a batch of one. Throws ValueError on unequal shapes, TypeError on unequal or
/// integral dtypes. Source: torch.nn.functional.kl_div.
JLOSS_API at::Tensor kl_div_loss(const at::Tensor& input, const at::Tensor& target,
                                 bool log_target = false, int64_t reduction = kMean,
                                 Gradients* gradients = nullptr);

}  // namespace jloss
