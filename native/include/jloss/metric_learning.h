// Metric learning: losses on distances between embeddings, and miners of pairs and triplets.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// How far two embeddings x and y are apart. For the similarities, cosine and dot, larger is
/// nearer: losses count them as distances with the sign turned, margins stay as they are given.
enum Distance : int64_t {
  kEuclidean = 0,         ///< |x - y|, gradient 0 at 0
  kSquaredEuclidean = 1,  ///< |x - y|^2
  kCosine = 2,            ///< x.y / (|x| |y|), each norm at least 1e-12
  kDot = 3,               ///< x.y
  kSnr = 4                ///< var(x - y) / var(x), unbiased, x the anchor
};

/// Contrastive loss of pairs: d = |input1 - input2 + eps|_p;
/// l = scale d^2 for similar pairs, scale max(0, margin - d)^2 for the others.
///
/// input1, input2 (N, D): floating, equal shapes. target (N): floating, 0 or 1; pairs whose target
/// equals `similar_label` (0 or 1) are similar. margin, eps, scale: finite numbers; p > 0, may be
/// infinite. Value: (N) for reduction none; sum; mean = sum / N.
/// The gradient is 0 at d = margin and at d = 0. scale 0.5 is the form with 1 / 2N.
/// Throws ValueError on shapes, parameters or targets other than 0 and 1 (checked where the data is
/// in plain CPU memory), TypeError on dtypes.
/// Source: Hadsell, Chopra, LeCun 2006; torch.nn.functional.pairwise_distance.
JLOSS_API at::Tensor contrastive_loss(const at::Tensor& input1, const at::Tensor& input2,
                                      const at::Tensor& target, double margin = 1.0, double p = 2.0,
                                      double eps = 1e-6, int64_t similar_label = 1,
                                      double scale = 1.0, int64_t reduction = kMean,
                                      Gradients* gradients = nullptr);

/// Triplet margin loss: l = max(0, d(anchor, positive) - d(anchor, negative) + margin).
///
/// anchor, positive, negative (..., D) or (D): floating, equal rank and D, leading axes broadcast.
/// margin > 0, finite. `distance`: a code of Distance; p (> 0, may be infinite) and eps (added to
/// every difference) belong to euclidean alone, d = |x - y + eps|_p. For similarities
/// l = max(0, s(anchor, negative) - s(anchor, positive) + margin). `swap`: d(anchor, negative) is
/// the smaller of itself and d(positive, negative) (similarities: the larger).
/// Value: the leading shape for reduction none; sum; mean.
/// At exactly 0 the gradient passes, as torch has it.
/// Throws ValueError on shapes and parameters, TypeError on dtypes.
/// Source: torch.nn.functional.triplet_margin_loss.
JLOSS_API at::Tensor triplet_margin_loss(const at::Tensor& anchor, const at::Tensor& positive,
                                         const at::Tensor& negative, double margin = 1.0,
                                         double p = 2.0, double eps = 1e-6, bool swap = false,
                                         int64_t distance = kEuclidean, int64_t reduction = kMean,
                                         Gradients* gradients = nullptr);

/// For each anchor its farthest positive and its nearest negative: three index vectors
/// (anchor, positive, negative), int64, anchors ascending.
///
/// embeddings (N, D): floating. labels (N): int64. ref_emb (M, D), ref_labels (M), both or neither:
/// where positives and negatives come from; without them they come from the embeddings themselves,
/// and a row is not its own positive. normalize: rows are divided by their norms, at least 1e-12.
/// Of equal distances the lowest index wins. Anchors without a positive or a negative are dropped.
/// A pair whose distance is NaN is no pair: an anchor that holds NaN is dropped, and NaN is never
/// mined. There is no gradient.
/// Throws ValueError on shapes and on one of ref_emb and ref_labels alone, TypeError on dtypes.
/// Source: Hermans, Beyer, Leibe 2017; pytorch_metric_learning.miners.BatchHardMiner.
JLOSS_API std::vector<at::Tensor> batch_hard_miner(
    const at::Tensor& embeddings, const at::Tensor& labels,
    const std::optional<at::Tensor>& ref_emb = std::nullopt,
    const std::optional<at::Tensor>& ref_labels = std::nullopt, int64_t distance = kEuclidean,
    bool normalize = true);

}  // namespace jloss
