// Segmentation losses.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// What the channels of a segmentation map are.
enum SegmentationMode : int64_t {
  kBinaryMode = 0,      ///< masks, each on its own; a target of one channel may leave the axis out
  kMultilabelMode = 1,  ///< masks, each on its own
  kMulticlassMode = 2   ///< one class a pixel
};

/// Over what the sums of a region go, besides space.
enum RegionDims : int64_t { kPerSample = 0, kWholeBatch = 1 };

/// How the classes are joined: their sums, their losses, or not at all.
enum ClassAverage : int64_t { kMicroAverage = 0, kMacroAverage = 1, kNoAverage = 2 };

/// What a macro average divides by: the number of classes, or the sum of their weights.
enum ClassWeightMode : int64_t { kPlainWeight = 0, kNormalizedWeight = 1 };

/// What a macro average does with a class that has no target element: counts it like any other,
/// takes its loss for 0, or leaves it out.
enum AbsentClass : int64_t { kCountAbsent = 0, kZeroAbsent = 1, kSkipAbsent = 2 };

/// Class weights of the generalized Dice loss, from the volume G of a class: 1/G^2, 1/G or 1.
enum VolumeWeight : int64_t { kSquareVolume = 0, kSimpleVolume = 1, kUniformVolume = 2 };

/// Dice loss: L = 1 - (2 TP + smooth_nr) / (P + G + smooth_dr), TP = sum(p g), P = sum(p),
/// G = sum(g).
///
/// input (N,C,*): floating; probabilities, or with from_logits scores that a sigmoid (mode binary,
/// multilabel) or a softmax over C (multiclass) is taken of. target: (N,C,*) of input's dtype or
/// int64 (0 and 1); for multiclass also class indices in [0, C), int64 (N,*), and for binary with
/// C = 1 also (N,*). weight (C): optional, input's dtype.
///
/// Sums go over space, with dims = whole batch over N too, with average = micro over C too:
///   micro   1 - (2 sum_c w TP + smooth_nr) / (sum_c w (P + G) + smooth_dr)
///   macro   weight_mode plain: mean over c of w L; normalized: sum_c w L / sum_c w
///   none    w L a class
/// Micro and macro leave (N), or one value for the whole batch, and none leaves (N,C) or (C);
/// reduction acts on that. squared: P = sum(p^2), G = sum(g^2). soft_label: TP = (P + G - sum|p -
/// g|) / 2, with squared of (p - g)^2, which is right for targets between 0 and 1.
///
/// smooth >= 0; smooth_nr and smooth_dr >= 0, or -1 for the value of smooth. With both 0 two empty
/// masks give NaN. classes: the channels that take part, counted after include_background = false
/// has left out channel 0; empty means all. absent acts on macro; where skip leaves no class the
/// loss is 1. ignore_index: elements whose target has that value take no part.
/// Differentiable in input and in a floating target.
/// Throws ValueError on shapes and ranges, TypeError on dtypes, IndexError on a class index outside
/// [0, C).
/// Source: Milletari, Navab, Ahmadi, V-Net, 2016; options of MONAI, kornia and
/// segmentation_models_pytorch.
JLOSS_API at::Tensor dice_loss(
    const at::Tensor& input, const at::Tensor& target,
    const std::optional<at::Tensor>& weight = std::nullopt, int64_t mode = kBinaryMode,
    bool from_logits = false, int64_t dims = kPerSample, int64_t average = kMicroAverage,
    double smooth = 1e-6, double smooth_nr = -1, double smooth_dr = -1, bool squared = false,
    bool soft_label = false, at::IntArrayRef classes = {}, int64_t weight_mode = kPlainWeight,
    int64_t absent = kCountAbsent, std::optional<int64_t> ignore_index = std::nullopt,
    bool include_background = true, int64_t reduction = kMean, Gradients* gradients = nullptr);

/// Generalized Dice loss: L = 1 - (2 sum_c w TP + smooth_nr) / (sum_c w (P + G) + smooth_dr), with
/// TP = sum(p g), P = sum(p), G = sum(g) a class and w = 1/G^2 (w_type square), 1/G (simple) or 1
/// (uniform).
///
/// input (N,C,*): probabilities, floating. target (N,C,*): one-hot, input's dtype. Sums go over
/// space, with batch over N too. A class without target has the largest finite w of its sample,
/// and where no class has a target every w is 0. w is a constant to the gradient. soft_label:
/// TP = (P + G - sum|p - g|) / 2. Value: (N), or one number with batch, under reduction none; their
/// mean; their sum. smooth_nr, smooth_dr >= 0. Differentiable in input.
/// Throws ValueError on shapes and ranges, TypeError on dtypes.
/// Source: Sudre et al., 2017; MONAI GeneralizedDiceLoss.
JLOSS_API at::Tensor generalized_dice_loss(const at::Tensor& input, const at::Tensor& target,
                                           int64_t w_type = kSquareVolume, double smooth_nr = 1e-5,
                                           double smooth_dr = 1e-5, bool batch = false,
                                           bool soft_label = false, int64_t reduction = kMean,
                                           Gradients* gradients = nullptr);

}  // namespace jloss
