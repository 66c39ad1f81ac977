#include "kernels/rowwise.h"

namespace jloss {

/// l = alpha u^g h, where p = p_y, u = 1 - p, h = -(a log p + b sum_c log p_c);
/// dl/dlog p = -alpha (a u^g + g u^(g-1) p h), dl/dcross = -alpha b u^g.
template <class V>
struct FocalTerms {
  explicit FocalTerms(const double* p) : a(p[0]), b(p[1]), gamma(p[2]) {}

  RowTerms<V> operator()(const Row<V>& row) const {
    const V zero(0), one(1), p = exp(row.logp), u = row.logp.expm1().neg();
    const V h = (a * row.logp + b * row.cross).neg();
    V power, slope;  // u^g and g u^(g-1)
    if (gamma >= 1) {
      const V lower = raise(u, gamma - 1);
      power = lower * u;
      slope = V(gamma) * lower;
    } else if (gamma > 0) {
      power = raise(u, gamma);
      slope = V::blendv(V(gamma) * power / u, zero, u == zero);  // infinite there
    } else {
      power = one;
      slope = zero;
    }
    // p log p is 0 at p = 0.
    const V ph = V::blendv(p * h, zero, p == zero);
    const V chain = gamma == 0 ? zero : slope * ph;  // h may be infinite
    return {row.factor * power * h, (row.factor * (a * power + chain)).neg(),
            (row.factor * b * power).neg()};
  }

  /// u^e without pow where e is a small multiple of one half.
  static V raise(V u, double e) {
    if (e > 8 || e * 2 != static_cast<int>(e * 2)) {
      return u.pow(V(e));
    }
    int n = static_cast<int>(e);
    V power = e == n ? V(1) : u.sqrt();
    for (; n > 0; --n) {
      power = power * u;
    }
    return power;
  }

  V a, b;
  double gamma;
};
JLOSS_ROWWISE(focal_loss_kernel, FocalTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/classification.h>

#include "core/rowwise.h"

namespace jloss {
namespace {

/// u^gamma with derivative 0 at u = 0 where gamma is no whole number.
at::Tensor raise(const at::Tensor& u, double gamma) {
  if (gamma == std::floor(gamma)) {
    return u.pow(gamma);
  }
  const auto border = u.eq(0);
  return u.masked_fill(border, 1).pow(gamma).masked_fill(border, 0);
}

}  // namespace

at::Tensor focal_loss(const at::Tensor& input, const at::Tensor& target,
                      const std::optional<at::Tensor>& alpha, double gamma, int64_t ignore_index,
                      double label_smoothing, int64_t reduction, Gradients* gradients) {
  constexpr auto kName = "focal_loss";
  const Arg x{kName, "input", input}, t{kName, "target", target};
  check_logits(x);
  check_class_index(t, x);
  const auto factor = value_or_undefined(alpha);
  if (factor.defined()) {
    check_like({kName, "alpha", factor}, x);
    if (factor.dim() != 0) {
      check_per_class({kName, "alpha", factor}, input.sym_size(1));
    }
  }
  check_at_least_zero(kName, "gamma", gamma);
  check_label_smoothing(kName, label_smoothing);
  check_reduction(kName, reduction);

  const double keep = 1 - label_smoothing;
  const auto formula = [=](at::TensorList in) {
    check_class_indices(kName, in[1], in[0], ignore_index);
    const auto logp = in[0].log_softmax(1);
    const ClassIndices y(in[1], ignore_index);
    const auto logpy = y.along(logp);
    auto h = logpy.neg();
    if (label_smoothing > 0) {
      h = keep * h - logp.sum(1) * label_smoothing / logp.sym_size(1);
    }
    // Where p is 0 the slope of the factor is too: 0 times log 0 is 0.
    const auto impossible = logpy.exp().eq(0);
    const auto u = logpy.masked_fill(impossible, 0).expm1().neg().masked_fill(impossible, 1);
    auto l = raise(u, gamma) * h;
    if (in[2].defined()) {
      l = l * (in[2].dim() == 0 ? in[2] : y.of(in[2]));
    }
    return reduce(at::where(y.ignored, 0, l), reduction,
                  reduction == kMean ? y.count(l) : at::Tensor());
  };
  const auto kernel = [=](at::TensorList in, const at::Tensor& upstream, uint32_t wanted,
                          Gradients& found) {
    return RowwiseLoss{
        .name = kName,
        .kernel = focal_loss_kernel,
        .reduction = reduction,
        .params = {keep, label_smoothing / static_cast<double>(in[0].size(1)), gamma},
        .ignore_index = ignore_index,
        .cross = label_smoothing > 0}(in, upstream, wanted, found);
  };
  return evaluate({.name = kName,
                   .inputs = {input, target, factor},
                   .differentiable = 0b001,
                   .principal = 0b001,
                   .scalar = reduction != kNone,
                   .formula = formula,
                   .kernel = kernel},
                  gradients);
}

JLOSS_OPERATOR(
    "focal_loss(Tensor input, Tensor target, Tensor? alpha=None, float gamma=2.0, "
    "int ignore_index=-100, float label_smoothing=0.0, int reduction=1) -> Tensor",
    focal_loss)

}  // namespace jloss
#endif
