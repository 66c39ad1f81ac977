#ifdef JLOSS_HOST
#include <jloss/multi_task.h>

#include "core/loss.h"

namespace jloss {
namespace {

at::Tensor uncertainty_terms(const at::Tensor& loss, const at::Tensor& s, int64_t form) {
  const auto fit = s.neg().exp() * loss;
  switch (form) {
    case kRegressionForm:
      return 0.5 * fit + 0.5 * s;
    case kClassificationForm:
      return fit + 0.5 * s;
    case kPlainForm:
      return fit + s;
    default:
      return 0.5 * fit + at::softplus(s);
  }
}

}  // namespace

at::Tensor uncertainty_weighting(const at::Tensor& losses, const at::Tensor& log_vars,
                                 at::IntArrayRef form, Gradients* gradients) {
  const char* name = "uncertainty_weighting";
  const Arg l{name, "losses", losses}, s{name, "log_vars", log_vars};
  check_floating(l);
  check_like(s, l);
  TORCH_CHECK_VALUE(losses.dim() == 1, name, ": expected losses of shape (T), got ",
                    losses.sym_sizes());
  check_same_shape(s, l);
  const auto count = static_cast<int64_t>(form.size());
  TORCH_CHECK_VALUE(count <= 1 || losses.sym_size(0) == count, name,
                    ": expected form of one entry or one a task (", losses.sym_size(0),
                    " tasks), got ", count);
  for (const int64_t f : form) {
    TORCH_CHECK_VALUE(f >= 0 && f <= 3, name,
                      ": expected form regression (0), classification (1), plain (2) or softplus "
                      "(3), got ",
                      f);
  }
  const bool same = std::all_of(form.begin(), form.end(), [&](int64_t f) { return f == form[0]; });
  return evaluate(
      {.name = name,
       .inputs = {losses, log_vars},
       .differentiable = 0b11,
       .principal = 0b11,
       .scalar = true,
       .formula =
           [same, form = form.vec()](at::TensorList in) {
             if (same) {
               const auto code = form.empty() ? int64_t{kRegressionForm} : form[0];
               return sum_all(uncertainty_terms(in[0], in[1], code));
             }
             std::vector<at::Tensor> terms;
             for (size_t t = 0; t < form.size(); ++t) {
               const auto i = static_cast<int64_t>(t);
               terms.push_back(uncertainty_terms(in[0].select(0, i), in[1].select(0, i), form[t]));
             }
             return sum_all(at::stack(terms));
           }},
      gradients);
}

JLOSS_OPERATOR("uncertainty_weighting(Tensor losses, Tensor log_vars, int[1] form=[]) -> Tensor",
               uncertainty_weighting)

}  // namespace jloss
#endif
