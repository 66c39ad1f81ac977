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

}  // namespace jloss
