#include "kernels/pointwise.h"

namespace jloss {

/// e = x - t: l = e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2); dl/dx = clamp(e,
/// +-delta).
template <class V>
struct HuberTerms {
  V delta, half_delta;

  explicit HuberTerms(const double* params)
      : delta(static_cast<typename V::value_type>(params[0])),
        half_delta(static_cast<typename V::value_type>(params[0] / 2)) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V) const {
    const V e = x - t, size = e.abs();
    const V d = clamp(e, delta.neg(), delta);
    return {V::blendv(V(0.5) * e * e, delta * (size - half_delta), size > delta), d, d.neg()};
  }
};
JLOSS_POINTWISE(huber_loss_kernel, HuberTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/regression.h>

#include "core/pointwise.h"

namespace jloss {

at::Tensor huber_loss(const at::Tensor& input, const at::Tensor& target,
                      const std::optional<at::Tensor>& weight, int64_t reduction, double delta,
                      Gradients* gradients) {
  const Arg x{"huber_loss", "input", input}, t{"huber_loss", "target", target};
  check_pair(x, t);
  const auto w = value_or_undefined(weight);
  check_element_weight({"huber_loss", "weight", w}, x);
  check_reduction("huber_loss", reduction);
  TORCH_CHECK_VALUE(delta > 0, "huber_loss: expected delta > 0, got ", delta);

  return evaluate({.name = "huber_loss",
                   .inputs = {input, target, w},
                   .differentiable = 0b011,
                   .principal = 0b001,
                   .scalar = reduction != kNone,
                   .formula =
                       [=](at::TensorList in) {
                         // The square of what is within delta alone: of infinity it is NaN.
                         const auto e = in[0] - in[1], within = e.clamp(-delta, delta);
                         const auto l = within * (e - 0.5 * within);
                         return reduce(weighted(l, in[2]), reduction);
                       },
                   .kernel = PointwiseLoss{huber_loss_kernel, reduction, {delta}}},
                  gradients);
}

JLOSS_OPERATOR(
    "huber_loss(Tensor input, Tensor target, Tensor? weight=None, int reduction=1, float "
    "delta=1.0) "
    "-> Tensor",
    huber_loss)

}  // namespace jloss
#endif
