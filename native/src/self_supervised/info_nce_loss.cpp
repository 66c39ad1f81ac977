#include "kernels/info_nce.h"

namespace jloss {
JLOSS_KERNEL(info_nce_loss_kernel, InfoNce, info_nce_loop)
}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/self_supervised.h>

#include "core/loss.h"
#include "core/reduced_value.h"
#include "core/rows.h"

namespace jloss {
namespace {

at::Tensor formula(at::TensorList in, double temperature, bool normalize, int64_t reduction) {
  auto q = in[0], p = in[1], c = in[2];
  if (normalize) {
    q = normalized(q);
    p = normalized(p);
    c = c.defined() ? normalized(c) : c;
  }
  if (!c.defined()) {
    return reduce(-at::log_softmax(q.matmul(p.t()) / temperature, 1).diagonal(), reduction);
  }
  const auto positive = (q * p).sum(1, /*keepdim=*/true);
  const auto negative = c.dim() == 2 ? q.matmul(c.t()) : c.matmul(q.unsqueeze(2)).squeeze(2);
  const auto logits = at::cat({positive, negative}, 1) / temperature;
  return reduce(-at::log_softmax(logits, 1).select(1, 0), reduction);
}

}  // namespace

at::Tensor info_nce_loss(const at::Tensor& query, const at::Tensor& positive,
                         const std::optional<at::Tensor>& negatives, double temperature,
                         bool normalize, int64_t reduction, Gradients* gradients) {
  const char* const name = "info_nce_loss";
  const Arg q{name, "query", query}, p{name, "positive", positive};
  check_floating(q);
  check_like(p, q);
  TORCH_CHECK_VALUE(query.dim() == 2, name, ": expected query of shape (N, D), got ",
                    query.sym_sizes());
  check_same_shape(p, q);
  const auto c = value_or_undefined(negatives);
  if (c.defined()) {
    check_like({name, "negatives", c}, q);
    TORCH_CHECK_VALUE((c.dim() == 2 || c.dim() == 3) && c.sym_size(-1) == query.sym_size(1) &&
                          (c.dim() == 2 || c.sym_size(0) == query.sym_size(0)),
                      name, ": expected negatives of shape (K, ", query.sym_size(1), ") or (",
                      query.sym_size(0), ", K, ", query.sym_size(1), "), got ", c.sym_sizes());
  }
  TORCH_CHECK_VALUE(temperature > 0 && std::isfinite(temperature), name,
                    ": expected temperature to be positive and finite, got ", temperature);
  TORCH_CHECK_VALUE(
      query.scalar_type() == at::kDouble || 1 / temperature <= std::numeric_limits<float>::max(),
      name, ": expected temperature with an inverse in the range of ", query.scalar_type(),
      ", got ", temperature);
  check_reduction(name, reduction);

  const auto kernel = [=](at::TensorList in, const at::Tensor& upstream, uint32_t wanted,
                          Gradients& found) {
    InfoNce a;
    a.normalize = normalize;
    a.n = in[0].size(0);
    a.dim = in[0].size(1);
    a.inverse_temperature = 1 / temperature;
    a.in_batch = !in[2].defined();
    a.own = !a.in_batch && in[2].dim() == 3;
    a.k = a.in_batch ? a.n : in[2].size(-2);
    a.q = rows_of(in[0]);
    a.p = rows_of(in[1]);
    const auto matrix = [&](const at::Tensor& x) { return x.dim() == 3 ? x[0] : x; };
    const bool some = !a.own || a.n > 0;
    if (!a.in_batch && some) {
      a.c = rows_of(matrix(in[2]));
      a.own_stride = a.own ? in[2].stride(0) : 0;
    }
    const ReducedValue value(a, reduction, static_cast<double>(a.n), upstream, in[0].options(),
                             {a.n});
    RowsOut* const outs[3] = {&a.dq, &a.dp, &a.dc};
    for (size_t i = 0; i < 3; ++i) {
      if ((wanted >> i) & 1) {
        found[i] = gradient_like(in[i]);
        if (some) {
          *outs[i] = rows_out(matrix(found[i]));
        }
        if (i == 2 && a.own) {
          a.own_out = found[i].stride(0);
        }
      }
    }
    {
      const SerialBlas serial;
      info_nce_loss_kernel(a);
    }
    return value();
  };
  return evaluate(
      {.name = name,
       .inputs = {query, positive, c},
       .differentiable = 0b111,
       .principal = 0b011,
       .scalar = reduction != kNone,
       .formula = [=](at::TensorList in) { return formula(in, temperature, normalize, reduction); },
       .kernel = kernel},
      gradients);
}

JLOSS_OPERATOR(
    "info_nce_loss(Tensor query, Tensor positive, Tensor? negatives=None, "
    "float temperature=0.1, bool normalize=False, int reduction=1) -> Tensor",
    info_nce_loss)

}  // namespace jloss
#endif
