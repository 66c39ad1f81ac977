#include "kernels/pointwise.h"

namespace jloss {

/// e = t - x: l = tau e where e > 0, else (tau - 1) e; dl/dx = -tau, 1 - tau, and 0 at e = 0.
/// Several taus, along the last axis, are the extra operand. Of a single one, 1 - tau is rounded
/// once, as in torch: from a rounded tau it would lose digits.
template <class V>
struct QuantileTerms {
  using T = typename V::value_type;
  bool several;
  V tau, rest;

  explicit QuantileTerms(const double* params)
      : several(params[0] != 0),
        tau(static_cast<T>(params[1])),
        rest(static_cast<T>(1 - params[1])) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V each) const {
    const V e = t - x, zero(0);
    const V over = several ? each : tau, under = several ? V(1) - each : rest;
    const V slope = V::blendv(under.neg(), over, e > zero);
    // NaN is unequal to zero and stays.
    const V d = V::blendv(slope, e, (e == zero) | e.isnan());
    return {slope * e, d.neg(), d};
  }
};
JLOSS_POINTWISE(quantile_loss_kernel, QuantileTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/regression.h>

#include "core/pointwise.h"

namespace jloss {

at::Tensor quantile_loss(const at::Tensor& input, const at::Tensor& target,
                         at::ArrayRef<double> tau, int64_t reduction, Gradients* gradients) {
  const Arg x{"quantile_loss", "input", input}, t{"quantile_loss", "target", target};
  check_floating(x);
  check_like(t, x);
  check_reduction("quantile_loss", reduction);
  TORCH_CHECK_VALUE(!tau.empty(), "quantile_loss: expected at least one tau, got none");
  for (const double q : tau) {
    TORCH_CHECK_VALUE(q > 0 && q < 1, "quantile_loss: expected tau > 0 and < 1, got ", q);
  }
  const bool several = tau.size() > 1 || input.dim() == target.dim() + 1;
  if (several) {
    const auto have = input.sym_sizes(), want = target.sym_sizes();
    TORCH_CHECK_VALUE(
        have.size() == want.size() + 1 && have.back() == static_cast<int64_t>(tau.size()) &&
            have.slice(0, want.size()) == want,
        "quantile_loss: expected input of shape ", want, " as target and a last axis of ",
        tau.size(), ", one entry a tau, got ", have);
  } else {
    check_same_shape(t, x);
  }
  at::Tensor taus;
  if (several) {  // operator by operator, as a tracer cannot follow numbers into a tensor
    std::vector<at::Tensor> each;
    for (const double q : tau) {
      each.push_back(at::full({}, q, input.options()));
    }
    taus = at::stack(each);
  }
  const double only = tau[0];

  return evaluate(
      {.name = "quantile_loss",
       .inputs = {input, target, at::Tensor(), taus},
       .differentiable = 0b0011,
       .principal = 0b0001,
       .scalar = reduction != kNone,
       .formula =
           [=](at::TensorList in) {
             const auto e = (several ? in[1].unsqueeze(-1) : in[1]) - in[0];
             // Derivative 0 at a tie, NaN at NaN.
             const auto number = [&](double v) { return at::full({}, v, e.options()); };
             const auto over = several ? in[3] : number(only);
             const auto under = several ? in[3] - 1 : number(only - 1);
             const auto slope = at::where(e > 0, over, at::where(e < 0, under, 0 * e));
             return reduce(slope * e, reduction);
           },
       .kernel =
           [=](at::TensorList in, const at::Tensor& upstream, uint32_t wanted, Gradients& made) {
             const PointwiseLoss loss{quantile_loss_kernel, reduction, {several ? 1.0 : 0.0, only}};
             if (!several) {
               return loss(in, upstream, wanted, made);
             }
             const auto value =
                 loss({in[0], in[1].unsqueeze(-1).expand(in[0].sizes()), in[2], in[3]}, upstream,
                      wanted, made);
             if (made[1].defined()) {
               made[1] = made[1].sum(-1);
             }
             return value;
           }},
      gradients);
}

JLOSS_OPERATOR(
    "quantile_loss(Tensor input, Tensor target, float[] tau=[0.5], int reduction=1) -> Tensor",
    quantile_loss)

}  // namespace jloss
#endif
