#include "kernels/logistic.h"
#include "kernels/pointwise.h"

namespace jloss {

/// l = (1 - t) x + (1 + (pw - 1) t) softplus(-x), see Logistic; dl/dt = (pw - 1) softplus(-x) - x.
/// pw is the extra operand.
template <class V>
struct BceWithLogitsTerms {
  bool has_pos_weight;  // without one 0 times an infinite softplus would make a NaN

  explicit BceWithLogitsTerms(const double* params) : has_pos_weight(params[0] != 0) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V pw) const {
    const Logistic<V> s(x);
    return {s.cross_entropy(x, t, pw), s.cross_entropy_slope(t, pw),
            has_pos_weight ? (pw - V(1)) * s.softplus_neg - x : x.neg()};
  }
};
JLOSS_POINTWISE(bce_with_logits_loss_kernel, BceWithLogitsTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/classification.h>

#include "core/pointwise.h"

namespace jloss {

at::Tensor bce_with_logits_loss(const at::Tensor& input, const at::Tensor& target,
                                const std::optional<at::Tensor>& weight,
                                const std::optional<at::Tensor>& pos_weight, int64_t reduction,
                                Gradients* gradients) {
  auto inputs = binary_inputs("bce_with_logits_loss", input, target, weight, pos_weight);
  check_reduction("bce_with_logits_loss", reduction);
  const double has_pos_weight = inputs[3].defined() ? 1 : 0;

  return evaluate(
      {.name = "bce_with_logits_loss",
       .inputs = std::move(inputs),
       .differentiable = 0b0011,
       .principal = 0b0001,
       .scalar = reduction != kNone,
       .formula =
           [=](at::TensorList in) {
             return reduce(weighted(bce_with_logits(in[0], in[1], in[3]), in[2]), reduction);
           },
       .kernel = PointwiseLoss{bce_with_logits_loss_kernel, reduction, {has_pos_weight}}},
      gradients);
}

JLOSS_OPERATOR(
    "bce_with_logits_loss(Tensor input, Tensor target, Tensor? weight=None, Tensor? "
    "pos_weight=None, "
    "int reduction=1) -> Tensor",
    bce_with_logits_loss)

}  // namespace jloss
#endif
