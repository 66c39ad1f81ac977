// Classification losses.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// Binary cross entropy on logits, stable for any logit:
/// l = w [(1 - t) x + (1 + (pw - 1) t) softplus(-x)].
///
/// input, target (*): floating, equal shapes; targets are probabilities, soft ones included.
/// weight, pos_weight: optional, broadcast to input; weight multiplies both terms, pos_weight the
/// positive one. Value: (*) for none; sum; mean = sum / numel, whatever the weights. Throws
/// ValueError on shapes, TypeError on dtypes. Source:
/// torch.nn.functional.binary_cross_entropy_with_logits.
JLOSS_API at::Tensor bce_with_logits_loss(
    const at::Tensor& input, const at::Tensor& target,
    const std::optional<at::Tensor>& weight = std::nullopt,
    const std::optional<at::Tensor>& pos_weight = std::nullopt, int64_t reduction = kMean,
    Gradients* gradients = nullptr);

/// What alpha of sigmoid_focal_loss means: alpha for positives and 1 - alpha for negatives, or a
/// factor of all.
enum AlphaMode : int64_t { kBalanced = 0, kScalar = 1 };

/// Focal loss on sigmoids: l = w alpha_t (1 - p_t)^gamma BCEWithLogits(x, t, pos_weight), with
/// p_t = p t + (1 - p)(1 - t), p = sigmoid(x) and alpha_t = alpha t + (1 - alpha)(1 - t).
///
/// input, target (*): floating, equal shapes; soft targets are allowed. weight, pos_weight:
/// optional, broadcast to input. alpha <= 1, negative for no alpha; gamma >= 0. Where 1 - p_t = 0
/// the factor is 0, and so is its derivative. Value: (*) for none; sum; mean = sum / numel. Throws
/// ValueError on shapes and ranges, TypeError on dtypes. Source: Lin et al. 2017, as
/// torchvision.ops.sigmoid_focal_loss.
JLOSS_API at::Tensor sigmoid_focal_loss(const at::Tensor& input, const at::Tensor& target,
                                        const std::optional<at::Tensor>& weight = std::nullopt,
                                        const std::optional<at::Tensor>& pos_weight = std::nullopt,
                                        double alpha = 0.25, double gamma = 2.0,
                                        int64_t alpha_mode = kBalanced, int64_t reduction = kMean,
                                        Gradients* gradients = nullptr);

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
