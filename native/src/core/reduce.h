// Reductions in formulas, with the same bits for any number of threads.
#pragma once

#include <ATen/core/Tensor.h>

namespace jloss {

/// Sum of all elements, differentiable. Unlike at::sum it does not depend on the number of threads.
at::Tensor sum_all(const at::Tensor& x);

/// Terms joined by a reduction: none, sum, mean = sum / numel, or batchmean = sum / size of axis 0.
at::Tensor reduce(const at::Tensor& terms, int64_t reduction);

/// As above with mean = sum / denominator.
at::Tensor reduce(const at::Tensor& terms, int64_t reduction, const at::Tensor& denominator);

/// Terms times a weight that may be undefined; mean = sum / sum of weights.
at::Tensor reduce_weighted(const at::Tensor& terms, const at::Tensor& weight, int64_t reduction);

}  // namespace jloss
