#ifdef JLOSS_HOST
#include <jloss/segmentation.h>

#include "core/region.h"

namespace jloss {
namespace {

/// The Dice loss of sums, in numbers and in tensors.
struct Dice {
  int64_t average, weight_mode, absent;
  double nr, dr;

  /// 1 - (2 overlap + nr) / (p + g + dr), and its slopes times `factor`.
  double term(const RegionSums& s, double factor, RegionSums* slopes) const {
    const double over = 2 * s.overlap + nr, under = s.p + s.g + dr;
    if (slopes != nullptr) {
      const double by_under = factor * (over / under) / under;  // exactly factor / under at loss 0
      *slopes = {-2 * factor / under, by_under, by_under};
    }
    return 1 - over / under;
  }

  void operator()(c10::ArrayRef<RegionSums> sums, c10::ArrayRef<double> weight,
                  const double* upstream, double* value, RegionSums* slopes) const {
    const size_t count = sums.size();
    const auto w = [&](size_t c) { return weight.empty() ? 1.0 : weight[c]; };
    const auto slope = [&](size_t c) { return slopes == nullptr ? nullptr : slopes + c; };
    if (average == kNoAverage) {
      for (size_t c = 0; c < count; ++c) {
        value[c] = w(c) * term(sums[c], upstream[c] * w(c), slope(c));
      }
    } else if (average == kMicroAverage) {
      RegionSums total, by_total;
      for (size_t c = 0; c < count; ++c) {
        total.overlap += w(c) * sums[c].overlap;
        total.p += w(c) * sums[c].p;
        total.g += w(c) * sums[c].g;
      }
      *value = term(total, *upstream, slopes == nullptr ? nullptr : &by_total);
      for (size_t c = 0; slopes != nullptr && c < count; ++c) {
        slopes[c] = {w(c) * by_total.overlap, w(c) * by_total.p, w(c) * by_total.g};
      }
    } else {
      macro(sums, w, *upstream, value, slopes);
    }
  }

  template <class W>
  void macro(c10::ArrayRef<RegionSums> sums, const W& w, double upstream, double* value,
             RegionSums* slopes) const {
    const auto is_absent = [&](size_t c) { return absent != kCountAbsent && sums[c].g == 0; };
    double divisor = 0;
    size_t left = 0;
    for (size_t c = 0; c < sums.size(); ++c) {
      if (!is_absent(c) || absent == kZeroAbsent) {
        divisor += weight_mode == kNormalizedWeight ? w(c) : 1;
        ++left;
      }
    }
    *value = left == 0 ? 1 : 0;
    for (size_t c = 0; c < sums.size(); ++c) {
      if (is_absent(c)) {
        if (slopes != nullptr) {
          slopes[c] = {};
        }
        continue;
      }
      const double share = w(c) / divisor;
      *value += share * term(sums[c], upstream * share, slopes == nullptr ? nullptr : slopes + c);
    }
  }

  at::Tensor operator()(const at::Tensor& overlap, const at::Tensor& p, const at::Tensor& g,
                        const at::Tensor& weight) const {
    if (average == kMicroAverage) {
      const auto total = [&](const at::Tensor& x) {
        return (weight.defined() ? x * weight : x).sum(1);
      };
      return 1 - (2 * total(overlap) + nr) / (total(p + g) + dr);
    }
    const bool marks = average == kMacroAverage && absent != kCountAbsent;
    at::Tensor gone;
    auto under = p + g + dr;
    if (marks) {
      gone = g == 0;
      under = under.masked_fill(gone, 1);  // keeps 0 / 0 out of the gradient
    }
    auto loss = 1 - (2 * overlap + nr) / under;
    if (marks) {
      loss = loss.masked_fill(gone, 0);
    }
    if (weight.defined()) {
      loss = loss * weight;
    }
    if (average == kNoAverage) {
      return loss;
    }
    auto share = weight.defined() && weight_mode == kNormalizedWeight ? weight.expand_as(loss)
                                                                      : at::ones_like(loss);
    if (!marks || absent == kZeroAbsent) {
      return loss.sum(1) / share.sum(1);
    }
    const auto nothing = gone.all(1);
    const auto divisor = share.masked_fill(gone, 0).sum(1).masked_fill(nothing, 1);
    return (loss.sum(1) / divisor).masked_fill(nothing, 1);
  }
};

void check_dice_code(const char* argument, int64_t code, int64_t codes, const char* meanings) {
  TORCH_CHECK_VALUE(code >= 0 && code < codes, "dice_loss: expected ", argument, " ", meanings,
                    ", got ", code);
}

}  // namespace

at::Tensor dice_loss(const at::Tensor& input, const at::Tensor& target,
                     const std::optional<at::Tensor>& weight, int64_t mode, bool from_logits,
                     int64_t dims, int64_t average, double smooth, double smooth_nr,
                     double smooth_dr, bool squared, bool soft_label, at::IntArrayRef classes,
                     int64_t weight_mode, int64_t absent, std::optional<int64_t> ignore_index,
                     bool include_background, int64_t reduction, Gradients* gradients) {
  check_dice_code("mode", mode, 3, "binary (0), multilabel (1) or multiclass (2)");
  check_dice_code("dims", dims, 2, "per_sample (0) or batch (1)");
  check_dice_code("average", average, 3, "micro (0), macro (1) or none (2)");
  check_dice_code("weight_mode", weight_mode, 2, "plain (0) or normalized (1)");
  check_dice_code("absent", absent, 3, "count (0), zero (1) or skip (2)");
  check_at_least_zero("dice_loss", "smooth", smooth);
  const double nr = smooth_nr == -1 ? smooth : smooth_nr, dr = smooth_dr == -1 ? smooth : smooth_dr;
  check_at_least_zero("dice_loss", "smooth_nr", nr);
  check_at_least_zero("dice_loss", "smooth_dr", dr);

  const Dice dice{average, weight_mode, absent, nr, dr};
  RegionLoss loss{"dice_loss"};
  loss.mode = mode;
  loss.from_logits = from_logits;
  loss.batch = dims == kWholeBatch;
  loss.by_class = average != kMicroAverage;
  loss.value_by_class = average == kNoAverage;
  loss.squared = squared;
  loss.soft_label = soft_label;
  loss.include_background = include_background;
  loss.classes = classes.vec();
  loss.ignore_index = ignore_index;
  loss.reduction = reduction;
  loss.score = dice;
  loss.formula = dice;
  return loss.evaluate(input, target, value_or_undefined(weight), gradients);
}

JLOSS_OPERATOR(
    "dice_loss(Tensor input, Tensor target, Tensor? weight=None, int mode=0, "
    "bool from_logits=False, int dims=0, int average=0, float smooth=1e-6, float smooth_nr=-1., "
    "float smooth_dr=-1., bool squared=False, bool soft_label=False, int[] classes=[], "
    "int weight_mode=0, int absent=0, int? ignore_index=None, bool include_background=True, "
    "int reduction=1) -> Tensor",
    dice_loss)

}  // namespace jloss
#endif
