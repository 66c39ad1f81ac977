#include "kernels/exp.h"
#include "kernels/pointwise.h"

namespace jloss {

/// l = t (log t - x), dl/dx = -t, dl/dt = log t + t/t - x: NaN at t = 0, as in torch.
template <class V>
struct KlDivTerms {
  explicit KlDivTerms(const double*) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V) const {
    const V none = t == V(0);
    // At t = 0 an infinite x makes t x NaN, as in torch.
    const V e = V::blendv(t.log() - x, x.neg(), none);
    return {t * e, t.neg(), e + t / t};
  }
};
JLOSS_POINTWISE(kl_div_loss_kernel, KlDivTerms)

/// l = exp(t) (t - x), dl/dx = -exp(t), dl/dt = l + exp(t).
template <class V>
struct KlDivLogTerms {
  explicit KlDivLogTerms(const double*) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V) const {
    const V p = exp(t), e = t - x;
    return {p * e, p.neg(), p * e + p};
  }
};
JLOSS_POINTWISE(kl_div_loss_log_kernel, KlDivLogTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/distribution.h>

#include "core/pointwise.h"

namespace jloss {

at::Tensor kl_div_loss(const at::Tensor& input, const at::Tensor& target, bool log_target,
                       int64_t reduction, Gradients* gradients) {
  const Arg x{"kl_div_loss", "input", input}, t{"kl_div_loss", "target", target};
  check_pair(x, t);
  check_reduction("kl_div_loss", reduction, /*batchmean=*/true);

  return evaluate({.name = "kl_div_loss",
                   .inputs = {input, target},
                   .differentiable = 0b11,
                   .principal = 0b01,
                   .scalar = reduction != kNone,
                   .formula =
                       [=](at::TensorList in) {
                         if (log_target) {
                           return reduce(in[1].exp() * (in[1] - in[0]), reduction);
                         }
                         return reduce(at::xlogy(in[1], in[1]) - in[1] * in[0], reduction);
                       },
                   .kernel = PointwiseLoss{log_target ? kl_div_loss_log_kernel : kl_div_loss_kernel,
                                           reduction}},
                  gradients);
}

JLOSS_OPERATOR(
    "kl_div_loss(Tensor input, Tensor target, bool log_target=False, int reduction=1) -> Tensor",
    kl_div_loss)

}  // namespace jloss
#endif
