#include "kernels/logistic.h"
#include "kernels/pointwise.h"

namespace jloss {

/// l = a q^gamma b with a = a0 + a1 t, q = sigmoid(x)(1 - t) + sigmoid(-x) t and b the binary cross
/// entropy; the derivatives by the product rule, dq/dx = sigmoid(x) sigmoid(-x) (1 - 2 t).
template <class V>
struct SigmoidFocalTerms {
  double gamma;
  V a0, a1;

  explicit SigmoidFocalTerms(const double* params)
      : gamma(params[0]),
        a0(static_cast<typename V::value_type>(params[1])),
        a1(static_cast<typename V::value_type>(params[2])) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V pw) const {
    const V one(1), u = one - t;
    const Logistic<V> s(x);
    const V b = s.cross_entropy(x, t, pw);
    const V q = s.positive * u + s.negative * t;
    const V a = a0 + a1 * t;
    Terms<V> out;
    if constexpr (W == kValue) {
      out.l = a * power(q, gamma) * b;
    } else {
      const FocalFactor<V> f(q, gamma);
      out.l = a * f.value * b;
      const V dq = s.positive * s.negative * (u - t);
      const V db = s.cross_entropy_slope(t, pw);
      const V by_q = gamma == 0 ? V(0) : f.derivative * b;  // b may be infinite
      out.dx = a * (by_q * dq + f.value * db);
      if constexpr (W == kGradXT) {
        const V dq_dt = s.negative - s.positive;
        const V db_dt = (pw - one) * s.softplus_neg - x;
        out.dt = a1 * f.value * b + a * (by_q * dq_dt + f.value * db_dt);
      }
    }
    return out;
  }
};
JLOSS_POINTWISE(sigmoid_focal_loss_kernel, SigmoidFocalTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/classification.h>

#include "core/pointwise.h"

namespace jloss {

at::Tensor sigmoid_focal_loss(const at::Tensor& input, const at::Tensor& target,
                              const std::optional<at::Tensor>& weight,
                              const std::optional<at::Tensor>& pos_weight, double alpha,
                              double gamma, int64_t alpha_mode, int64_t reduction,
                              Gradients* gradients) {
  auto inputs = binary_inputs("sigmoid_focal_loss", input, target, weight, pos_weight);
  check_reduction("sigmoid_focal_loss", reduction);
  check_at_least_zero("sigmoid_focal_loss", "gamma", gamma);
  TORCH_CHECK_VALUE(alpha_mode == kBalanced || alpha_mode == kScalar,
                    "sigmoid_focal_loss: expected alpha_mode balanced (0) or scalar (1), got ",
                    alpha_mode);
  TORCH_CHECK_VALUE(
      std::isfinite(alpha) && (alpha_mode == kScalar || alpha <= 1),
      "sigmoid_focal_loss: expected a finite alpha, at most 1 or negative for none, got ", alpha);
  // alpha_t = a0 + a1 t.
  const double a0 = alpha < 0 ? 1 : alpha_mode == kScalar ? alpha : 1 - alpha;
  const double a1 = alpha < 0 || alpha_mode == kScalar ? 0 : 2 * alpha - 1;

  return evaluate({.name = "sigmoid_focal_loss",
                   .inputs = std::move(inputs),
                   .differentiable = 0b0011,
                   .principal = 0b0001,
                   .scalar = reduction != kNone,
                   .formula =
                       [=](at::TensorList in) {
                         const auto& t = in[1];
                         const auto b = bce_with_logits(in[0], t, in[3]);
                         const auto q = in[0].sigmoid() * (1 - t) + in[0].neg().sigmoid() * t;
                         return reduce(weighted((a0 + a1 * t) * focal_factor(q, gamma) * b, in[2]),
                                       reduction);
                       },
                   .kernel = PointwiseLoss{sigmoid_focal_loss_kernel, reduction, {gamma, a0, a1}}},
                  gradients);
}

JLOSS_OPERATOR(
    "sigmoid_focal_loss(Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, "
    "float alpha=0.25, float gamma=2.0, int alpha_mode=0, int reduction=1) -> Tensor",
    sigmoid_focal_loss)

}  // namespace jloss
#endif
