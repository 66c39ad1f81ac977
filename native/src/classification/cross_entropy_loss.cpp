#include "kernels/rowwise.h"

namespace jloss {

/// l = -(a w_y log p_y + b sum_c q_c log p_c).
template <class V>
struct CrossEntropyTerms {
  explicit CrossEntropyTerms(const double* p) : a(p[0]), b(p[1]) {}

  RowTerms<V> operator()(const Row<V>& row) const {
    const V dlogp = (a * row.factor).neg();
    return {dlogp * row.logp - b * row.cross, dlogp, b.neg()};
  }

  V a, b;
};
JLOSS_ROWWISE(cross_entropy_loss_kernel, CrossEntropyTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/classification.h>

#include "core/rowwise.h"

namespace jloss {
namespace {

constexpr char kName[] = "cross_entropy_loss";

/// The class vector in the shape that broadcasts over (N, C, *) or (C).
at::Tensor over_rows(const at::Tensor& class_vector, const at::Tensor& rows) {
  std::vector<int64_t> shape(rows.dim(), 1);
  shape[class_axis(rows)] = -1;
  return class_vector.view(shape);
}

}  // namespace

at::Tensor cross_entropy_loss(const at::Tensor& input, const at::Tensor& target,
                              const std::optional<at::Tensor>& weight, int64_t ignore_index,
                              double label_smoothing, int64_t reduction, Gradients* gradients) {
  const Arg x{kName, "input", input}, t{kName, "target", target};
  check_logits(x, /*single_row=*/true);
  const bool by_index = !target.defined() || !at::isFloatingType(target.scalar_type());
  if (by_index) {
    check_class_index(t, x);
  } else {
    check_like(t, x);
    TORCH_CHECK_VALUE(target.sym_sizes() == input.sym_sizes(), kName, ": expected target of shape ",
                      input.sym_sizes(), " as input, or class indices of dtype Long, got ",
                      target.scalar_type(), " of shape ", target.sym_sizes());
  }
  const auto w = value_or_undefined(weight);
  if (w.defined()) {
    check_like({kName, "weight", w}, x);
    check_per_class({kName, "weight", w}, input.sym_size(class_axis(input)));
  }
  check_label_smoothing(kName, label_smoothing);
  TORCH_CHECK_VALUE(by_index || ignore_index < 0, kName,
                    ": expected no ignore_index with target probabilities, got ", ignore_index);
  check_reduction(kName, reduction);

  const double keep = 1 - label_smoothing;
  const auto from_indices = [=](at::TensorList in) {
    check_class_indices(kName, in[1], in[0], ignore_index);
    const int64_t axis = class_axis(in[0]);
    const auto logp = in[0].log_softmax(axis);
    const ClassIndices y(in[1], ignore_index);
    const auto wy = in[2].defined() ? y.of(in[2]).masked_fill(y.ignored, 0) : at::Tensor();
    auto l = y.along(logp).neg();
    if (wy.defined()) {
      l = l * wy;
    }
    if (label_smoothing > 0) {
      const auto all = in[2].defined() ? logp * over_rows(in[2], logp) : logp;
      l = keep * l - all.sum(axis) * label_smoothing / logp.sym_size(axis);
    }
    l = at::where(y.ignored, 0, l);
    return reduce(l, reduction,
                  reduction != kMean ? at::Tensor()
                  : wy.defined()     ? sum_all(wy)
                                     : y.count(l));
  };
  const auto from_probabilities = [=](at::TensorList in) {
    const int64_t axis = class_axis(in[0]);
    const auto logp = in[0].log_softmax(axis);
    auto q = in[1];
    if (label_smoothing > 0) {
      q = q * keep + label_smoothing / logp.sym_size(axis);
    }
    if (in[2].defined()) {
      q = q * over_rows(in[2], q);
    }
    return reduce((logp * q).sum(axis).neg(), reduction);
  };
  const auto kernel = [=](at::TensorList in, const at::Tensor& upstream, uint32_t wanted,
                          Gradients& found) {
    const double add = label_smoothing / static_cast<double>(in[0].size(class_axis(in[0])));
    return RowwiseLoss{.name = kName,
                       .kernel = cross_entropy_loss_kernel,
                       .reduction = reduction,
                       .params = {by_index ? keep : 0, by_index ? add : 1},
                       .ignore_index = ignore_index,
                       .mean_by_factor = true,
                       .cross = label_smoothing > 0,
                       .cross_by_factor = true,
                       .keep = keep,
                       .add = add}(in, upstream, wanted, found);
  };
  return evaluate({.name = kName,
                   .inputs = {input, target, w},
                   .differentiable = by_index ? 0b001u : 0b011u,
                   .principal = 0b001,
                   .scalar = reduction != kNone,
                   .formula = by_index ? Formula(from_indices) : Formula(from_probabilities),
                   .kernel = kernel},
                  gradients);
}

JLOSS_OPERATOR(
    "cross_entropy_loss(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, "
    "float label_smoothing=0.0, int reduction=1) -> Tensor",
    cross_entropy_loss)

}  // namespace jloss
#endif
