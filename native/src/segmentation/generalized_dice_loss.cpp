#ifdef JLOSS_HOST
#include <jloss/segmentation.h>

#include <cmath>

#include "core/region.h"

namespace jloss {
namespace {

/// The generalized Dice loss of sums, in numbers and in tensors.
struct GeneralizedDice {
  int64_t w_type;
  double nr, dr;

  void operator()(c10::ArrayRef<RegionSums> sums, c10::ArrayRef<double>, const double* upstream,
                  double* value, RegionSums* slopes) const {
    std::vector<double> w(sums.size(), 1.0);
    double largest = 0;
    for (size_t c = 0; w_type != kUniformVolume && c < w.size(); ++c) {
      const double g = sums[c].g;
      w[c] = 1 / (w_type == kSquareVolume ? g * g : g);
      // As at::amax, which lets NaN through and takes the infinite ones for 0.
      const double finite = std::isinf(w[c]) ? 0 : w[c];
      largest = c == 0 || finite > largest || std::isnan(finite) ? finite : largest;
    }
    double over = nr, under = dr;
    for (size_t c = 0; c < w.size(); ++c) {
      w[c] = std::isinf(w[c]) ? largest : w[c];
      over += 2 * w[c] * sums[c].overlap;
      under += w[c] * (sums[c].p + sums[c].g);
    }
    *value = 1 - over / under;
    for (size_t c = 0; slopes != nullptr && c < w.size(); ++c) {
      const double by_under = *upstream * w[c] * (over / under) / under;
      slopes[c] = {-2 * *upstream * w[c] / under, by_under, by_under};
    }
  }

  at::Tensor operator()(const at::Tensor& overlap, const at::Tensor& p, const at::Tensor& g,
                        const at::Tensor&) const {
    at::Tensor w = at::ones_like(g);
    if (w_type != kUniformVolume) {
      const auto volume = g.detach();
      const auto raw = (w_type == kSquareVolume ? volume * volume : volume).reciprocal();
      const auto infinite = raw.isinf();
      const auto finite = raw.masked_fill(infinite, 0);
      w = at::where(infinite, finite.amax(1, /*keepdim=*/true), finite);
    }
    return 1 - (2 * (w * overlap).sum(1) + nr) / ((w * (p + g)).sum(1) + dr);
  }
};

}  // namespace

at::Tensor generalized_dice_loss(const at::Tensor& input, const at::Tensor& target, int64_t w_type,
                                 double smooth_nr, double smooth_dr, bool batch, bool soft_label,
                                 int64_t reduction, Gradients* gradients) {
  const Arg x{"generalized_dice_loss", "input", input};
  check_floating(x);
  check_like({"generalized_dice_loss", "target", target}, x);
  TORCH_CHECK_VALUE(w_type >= 0 && w_type <= 2,
                    "generalized_dice_loss: expected w_type square (0), simple (1) or uniform (2), "
                    "got ",
                    w_type);
  check_at_least_zero("generalized_dice_loss", "smooth_nr", smooth_nr);
  check_at_least_zero("generalized_dice_loss", "smooth_dr", smooth_dr);

  const GeneralizedDice dice{w_type, smooth_nr, smooth_dr};
  RegionLoss loss{"generalized_dice_loss"};
  loss.batch = batch;
  loss.soft_label = soft_label;
  loss.reduction = reduction;
  loss.target_differentiable = false;
  loss.score = dice;
  loss.formula = dice;
  return loss.evaluate(input, target, {}, gradients);
}

JLOSS_OPERATOR(
    "generalized_dice_loss(Tensor input, Tensor target, int w_type=0, float smooth_nr=1e-5, "
    "float smooth_dr=1e-5, bool batch=False, bool soft_label=False, int reduction=1) -> Tensor",
    generalized_dice_loss)

}  // namespace jloss
#endif
