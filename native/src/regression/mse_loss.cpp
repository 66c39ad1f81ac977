#include "kernels/pointwise.h"

namespace jloss {

/// l = (x - t)^2, dl/dx = 2 (x - t) = -dl/dt.
template <class V>
struct MseTerms {
  explicit MseTerms(const double*) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V) const {
    const V e = x - t;
    const V d = e + e;
    return {e * e, d, d.neg()};
  }
};
JLOSS_POINTWISE(mse_loss_kernel, MseTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/regression.h>

#include "core/pointwise.h"

namespace jloss {

at::Tensor mse_loss(const at::Tensor& input, const at::Tensor& target,
                    const std::optional<at::Tensor>& weight, int64_t reduction,
                    Gradients* gradients) {
  const Arg x{"mse_loss", "input", input}, t{"mse_loss", "target", target};
  check_pair(x, t);
  const auto w = value_or_undefined(weight);
  check_element_weight({"mse_loss", "weight", w}, x);
  check_reduction("mse_loss", reduction);

  return evaluate(
      {.name = "mse_loss",
       .inputs = {input, target, w},
       .differentiable = 0b011,
       .principal = 0b001,
       .scalar = reduction != kNone,
       .formula =
           [=](at::TensorList in) {
             const auto e = in[0] - in[1];
             return reduce_weighted(e * e, in[2], reduction);
           },
       .kernel = PointwiseLoss{mse_loss_kernel, reduction, {}, /*mean_by_weight=*/true}},
      gradients);
}

JLOSS_OPERATOR(
    "mse_loss(Tensor input, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor",
    mse_loss)

}  // namespace jloss
#endif
