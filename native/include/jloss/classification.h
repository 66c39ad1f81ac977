// Losses of classification.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// Cross entropy of logits with class indices or class probabilities. With p = softmax(input) and
/// s = label_smoothing:
///   index          l = -(1 - s) w_y log p_y - s / C sum_c w_c log p_c
///   probabilities  l = -sum_c w_c ((1 - s) target_c + s / C) log p_c
///
/// input (N, C, *) or (C): floating. target: int64 class indices (N, *) or (), or probabilities in
/// the shape and dtype of input. weight (C): optional, floating. Rows whose class index is
/// ignore_index add nothing; it may lie inside or outside [0, C). label_smoothing in [0, 1].
/// Value: (N, *) for reduction none; sum; mean = sum / sum of w_y over the rows not ignored (NaN if
/// there are none), for probabilities sum / number of rows.
/// Throws IndexError on a class index out of range, ValueError on other shapes, a label_smoothing
/// out of range or an ignore_index >= 0 with probabilities, TypeError on other dtypes.
/// Source: torch.nn.functional.cross_entropy.
JLOSS_API at::Tensor cross_entropy_loss(const at::Tensor& input, const at::Tensor& target,
                                        const std::optional<at::Tensor>& weight = std::nullopt,
                                        int64_t ignore_index = -100, double label_smoothing = 0.0,
                                        int64_t reduction = kMean, Gradients* gradients = nullptr);

/// Focal loss of softmax probabilities: l = alpha_y (1 - p_y)^gamma h with p = softmax(input) and
/// h = -(1 - s) log p_y - s / C sum_c log p_c, s = label_smoothing.
///
/// input (N, C, *): floating logits. target (N, *): int64 class indices. alpha: optional factor,
/// one for all classes () or one a class (C). gamma >= 0. Rows whose class index is ignore_index
/// add nothing. label_smoothing in [0, 1]. Value: (N, *) for reduction none; sum; mean = sum /
/// number of rows not ignored (NaN if there are none). With gamma < 1 the gradient at p_y = 1 is 0.
/// Throws IndexError on a class index out of range, ValueError on other shapes or a parameter out
/// of range, TypeError on other dtypes.
/// Source: Lin et al., Focal Loss for Dense Object Detection (2017), in its softmax form.
JLOSS_API at::Tensor focal_loss(const at::Tensor& input, const at::Tensor& target,
                                const std::optional<at::Tensor>& alpha = std::nullopt,
                                double gamma = 2.0, int64_t ignore_index = -100,
                                double label_smoothing = 0.0, int64_t reduction = kMean,
                                Gradients* gradients = nullptr);

}  // namespace jloss
