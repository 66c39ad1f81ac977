// Self-supervised learning: contrastive losses between views, and their queues of negatives.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// InfoNCE: l = -log( e^{q.k+ / t} / (e^{q.k+ / t} + sum_k e^{q.k- / t}) ), t the temperature.
///
/// query, positive (N, D): floating, equal shapes. negatives: (K, D), shared by all rows, or
/// (N, K, D), of each row its own; without them the negatives of a row are the positives of the
/// other rows. temperature > 0, finite. normalize: every row is first divided by its norm, at least
/// 1e-12. Value: (N) for reduction none; sum; mean = sum / N (NaN for N = 0).
/// A row without negatives is 0. Memory is O(N D + K D): the similarities are never held as a
/// whole. Throws ValueError on shapes and parameters, TypeError on dtypes. Source: van den Oord,
/// Li, Vinyals 2018; He et al. 2020 (a queue of negatives).
JLOSS_API at::Tensor info_nce_loss(const at::Tensor& query, const at::Tensor& positive,
                                   const std::optional<at::Tensor>& negatives = std::nullopt,
                                   double temperature = 0.1, bool normalize = false,
                                   int64_t reduction = kMean, Gradients* gradients = nullptr);

/// Puts keys into a ring buffer, in place: queue[(ptr + i) mod K] = keys[i] for i < N, then
/// ptr = (ptr + N) mod K. Of more than K keys the last K stay.
///
/// keys (N, D), queue (K, D): floating, of one dtype and device; K > 0. ptr (): int64, 0 <= ptr <
/// K. The keys are stored without their graph. A loss that used the queue as an input without
/// gradient may be differentiated after the update, but not by create_graph or with reduction none.
/// Throws ValueError on shapes, TypeError on dtypes, IndexError on ptr (checked where it is in
/// plain CPU memory). Source: He et al. 2020; the wrap is that of pytorch_metric_learning's
/// CrossBatchMemory.
JLOSS_API void negative_queue(const at::Tensor& keys, const at::Tensor& queue,
                              const at::Tensor& ptr);

}  // namespace jloss
