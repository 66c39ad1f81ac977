#include "kernels/logistic.h"
#include "kernels/pointwise.h"

namespace jloss {

/// l = (1 - t) x + (1 + (pw - 1) t) softplus(-x), see Logistic; dl/dx = (1 - t) sigmoid(x) - pw t
/// sigmoid(-x), which cancels at neither end; dl/dt = (pw - 1) softplus(-x) - x. pw is the extra
/// operand.
template <class V>
struct BceWithLogitsTerms {
  bool has_pos_weight;  // without one 0 times an infinite softplus would make a NaN

  explicit BceWithLogitsTerms(const double* params) : has_pos_weight(params[0] != 0) {}

  template <Wanted W>
  Terms<V> operator()(V x, V t, V pw) const {
    const V one(1);
    const Logistic<V> s(x);
    Terms<V> out;
    out.l = s.cross_entropy(x, t, pw);
    out.dx = (one - t) * s.positive - pw * t * s.negative;
    out.dt = has_pos_weight ? (pw - one) * s.softplus_neg - x : x.neg();
    return out;
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
  const Arg x{"bce_with_logits_loss", "input", input}, t{"bce_with_logits_loss", "target", target};
  check_pair(x, t);
  const auto w = value_or_undefined(weight), pw = value_or_undefined(pos_weight);
  check_factor({"bce_with_logits_loss", "weight", w}, x);
  check_factor({"bce_with_logits_loss", "pos_weight", pw}, x);
  check_reduction("bce_with_logits_loss", reduction);

  return evaluate(
      {.name = "bce_with_logits_loss",
       .inputs = {input, target, w, pw},
       .differentiable = 0b0011,
       .principal = 0b0001,
       .scalar = reduction != kNone,
       .formula =
           [=](at::TensorList in) {
             return reduce(weighted(bce_with_logits(in[0], in[1], in[3]), in[2]), reduction);
           },
       .kernel = PointwiseLoss{bce_with_logits_loss_kernel, reduction, {pw.defined() ? 1.0 : 0.0}}},
      gradients);
}

JLOSS_OPERATOR(
    "bce_with_logits_loss(Tensor input, Tensor target, Tensor? weight=None, Tensor? "
    "pos_weight=None, "
    "int reduction=1) -> Tensor",
    bce_with_logits_loss)

}  // namespace jloss
#endif
