#include "kernels/row_distance.h"

namespace jloss {
JLOSS_KERNEL(contrastive_loss_kernel, RowDistance, contrastive_loop)
}  // namespace jloss

#ifdef JLOSS_HOST
#include <c10/core/impl/TorchDispatchModeTLS.h>
#include <jloss/metric_learning.h>

#include "core/loss.h"
#include "core/reduced_value.h"
#include "core/rows.h"
#include "metric_learning/distance.h"

namespace jloss {

at::Tensor contrastive_loss(const at::Tensor& input1, const at::Tensor& input2,
                            const at::Tensor& target, double margin, double p, double eps,
                            int64_t similar_label, double scale, int64_t reduction,
                            Gradients* gradients) {
  const char* const name = "contrastive_loss";
  const Arg x{name, "input1", input1}, y{name, "input2", input2}, t{name, "target", target};
  check_floating(x);
  check_like(y, x);
  check_like(t, x);
  TORCH_CHECK_VALUE(input1.dim() == 2, name, ": expected input1 of shape (N, D), got ",
                    input1.sym_sizes());
  check_same_shape(y, x);
  TORCH_CHECK_VALUE(target.dim() == 1 && target.sym_size(0) == input1.sym_size(0), name,
                    ": expected target of shape [", input1.sym_size(0), "], one entry a pair, got ",
                    target.sym_sizes());
  check_finite(name, "margin", margin);
  check_norm(name, p);
  check_finite(name, "eps", eps);
  check_finite(name, "scale", scale);
  TORCH_CHECK_VALUE(similar_label == 0 || similar_label == 1, name,
                    ": expected similar_label 0 or 1, got ", similar_label);
  check_reduction(name, reduction);

  const auto kernel = [=](at::TensorList in, const at::Tensor& upstream, uint32_t wanted,
                          Gradients& found) {
    RowDistance a;
    a.rows = in[0].size(0);
    a.dim = in[0].size(1);
    a.p = p;
    a.eps = eps;
    a.margin = margin;
    a.similar_label = static_cast<double>(similar_label);
    a.factor = scale;
    const auto labels = in[2].contiguous();
    a.target = labels.const_data_ptr();
    const ReducedValue value(a, reduction, static_cast<double>(a.rows), upstream, in[0].options(),
                             {a.rows});
    for (size_t k = 0; k < 2; ++k) {
      a.in[k] = rows_of(in[k]);
      if ((wanted >> k) & 1) {
        found[k] = gradient_like(in[k]);
        a.grad[k] = rows_out(found[k]);
      }
    }
    contrastive_loss_kernel(a);
    TORCH_CHECK_VALUE(a.bad_row < 0, name, ": expected target to hold 0 and 1, got ",
                      labels[a.bad_row].item<double>(), " at index ", a.bad_row);
    return value();
  };
  return evaluate({.name = name,
                   .inputs = {input1, input2, target},
                   .differentiable = 0b011,
                   .principal = 0b011,
                   .scalar = reduction != kNone,
                   .formula =
                       [=](at::TensorList in) {
                         if (is_plain(in[2]) && !c10::impl::dispatch_mode_enabled()) {
                           const auto fits = (in[2] == 0).logical_or(in[2] == 1);
                           TORCH_CHECK_VALUE(fits.all().item<bool>(), name,
                                             ": expected target to hold 0 and 1");
                         }
                         const auto d = distance_between(in[0], in[1], kEuclidean, p, eps);
                         const auto far = at::relu(margin - d);
                         const auto same = (in[2] == similar_label).to(d.scalar_type());
                         const auto terms = same * (d * d) + (1 - same) * (far * far);
                         return reduce(terms * scale, reduction);
                       },
                   .kernel = kernel},
                  gradients);
}

JLOSS_OPERATOR(
    "contrastive_loss(Tensor input1, Tensor input2, Tensor target, float margin=1., float p=2., "
    "float eps=1e-6, int similar_label=1, float scale=1., int reduction=1) -> Tensor",
    contrastive_loss)

}  // namespace jloss
#endif
