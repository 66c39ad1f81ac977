#include "kernels/row_distance.h"

namespace jloss {
JLOSS_KERNEL(triplet_margin_loss_kernel, RowDistance, triplet_loop)
}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/metric_learning.h>

#include "core/loss.h"
#include "core/reduced_value.h"
#include "core/rows.h"
#include "metric_learning/distance.h"

namespace jloss {
namespace {

/// The gradient of an input that was broadcast, from that of its expansion.
at::Tensor sum_expanded(const at::Tensor& gradient, at::IntArrayRef sizes) {
  int64_t count = 1;
  for (const int64_t n : sizes) {
    count *= n;
  }
  return count == 1 ? sum_all(gradient).reshape(sizes) : at::sum_to(gradient, sizes);
}

}  // namespace

at::Tensor triplet_margin_loss(const at::Tensor& anchor, const at::Tensor& positive,
                               const at::Tensor& negative, double margin, double p, double eps,
                               bool swap, int64_t distance, int64_t reduction,
                               Gradients* gradients) {
  const char* const name = "triplet_margin_loss";
  const Arg x{name, "anchor", anchor};
  check_floating(x);
  TORCH_CHECK_VALUE(anchor.dim() >= 1, name, ": expected anchor of shape (..., D), got a scalar");
  // Leading axes must be equal or 1. (c10::SymInt compares without a guess where sizes are
  // symbols.)
  for (const auto& other : {Arg{name, "positive", positive}, Arg{name, "negative", negative}}) {
    check_like(other, x);
    TORCH_CHECK_VALUE(
        other.tensor.dim() == anchor.dim() && other.tensor.sym_size(-1) == anchor.sym_size(-1),
        name, ": expected ", other.name, " of as many axes and the same last axis as ",
        "anchor of shape ", anchor.sym_sizes(), ", got ", other.tensor.sym_sizes());
    for (const auto* first : {&anchor, &positive}) {
      for (int64_t d = 0; d + 1 < anchor.dim(); ++d) {
        const auto n = other.tensor.sym_size(d), m = first->sym_size(d);
        TORCH_CHECK_VALUE(n == m || n == 1 || m == 1, name, ": expected ", other.name,
                          " to broadcast with shape ", first->sym_sizes(), ", got ",
                          other.tensor.sym_sizes());
      }
    }
  }
  TORCH_CHECK_VALUE(margin > 0 && std::isfinite(margin), name,
                    ": expected margin to be positive and finite, got ", margin);
  check_norm(name, p);
  check_finite(name, "eps", eps);
  check_distance(name, distance);
  check_reduction(name, reduction);

  const auto kernel = [=](at::TensorList in, const at::Tensor& upstream, uint32_t wanted,
                          Gradients& found) {
    const auto sizes = at::infer_size(at::infer_size(in[0].sizes(), in[1].sizes()), in[2].sizes());
    const at::IntArrayRef lead(sizes.data(), sizes.size() - 1);
    RowDistance a;
    a.rows = c10::multiply_integers(lead);
    a.dim = sizes.back();
    a.distance = distance;
    a.p = p;
    a.eps = eps;
    a.margin = margin;
    a.swap = swap;
    at::Tensor rows[3], made[3];
    const ReducedValue value(a, reduction, static_cast<double>(a.rows), upstream, in[0].options(),
                             lead);
    for (size_t k = 0; k < 3; ++k) {
      rows[k] = as_rows(in[k], sizes);
      a.in[k] = rows_of(rows[k]);
      if ((wanted >> k) & 1) {
        const bool matrix = in[k].dim() == 2 && in[k].sizes() == at::IntArrayRef(sizes);
        made[k] = matrix ? gradient_like(in[k]) : at::empty({a.rows, a.dim}, in[k].options());
        a.grad[k] = rows_out(made[k]);
      }
    }
    triplet_margin_loss_kernel(a);
    for (size_t k = 0; k < 3; ++k) {
      if (made[k].defined()) {
        found[k] = sum_expanded(made[k].reshape(sizes), in[k].sizes());
      }
    }
    return value();
  };
  return evaluate({.name = name,
                   .inputs = {anchor, positive, negative},
                   .differentiable = 0b111,
                   .principal = 0b111,
                   .scalar = reduction != kNone,
                   .formula =
                       [=](at::TensorList in) {
                         const auto near = distance_between(in[0], in[1], distance, p, eps);
                         auto far = distance_between(in[0], in[2], distance, p, eps);
                         if (swap) {
                           far = at::minimum(far, distance_between(in[1], in[2], distance, p, eps));
                         }
                         return reduce(at::clamp_min(margin + near - far, 0), reduction);
                       },
                   .kernel = kernel},
                  gradients);
}

JLOSS_OPERATOR(
    "triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1., "
    "float p=2., float eps=1e-6, bool swap=False, int distance=0, int reduction=1) -> Tensor",
    triplet_margin_loss)

}  // namespace jloss
#endif
