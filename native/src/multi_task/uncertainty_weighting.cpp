#include "kernels/logistic.h"
#include "kernels/pointwise.h"

namespace jloss {

/// l = k e^-s L + r(s): k is 1/2 or 1, r is s/2, s or softplus(s). The pointwise loop's input is L
/// and its target s.
template <class V>
struct UncertaintyTerms {
  int form;
  V fit_factor;

  explicit UncertaintyTerms(const double* params)
      : form(static_cast<int>(params[0])), fit_factor(form == 0 || form == 3 ? 0.5f : 1.0f) {}

  template <Wanted W>
  Terms<V> operator()(V loss, V s, V) const {
    const V precision = fit_factor * exp(s.neg()), fit = precision * loss;
    if (form == 3) {
      const Logistic<V> logistic(s.neg());
      return {fit + logistic.softplus_neg, precision, logistic.negative - fit};
    }
    const V slope(form == 2 ? 1.0f : 0.5f);
    return {fit + slope * s, precision, slope - fit};
  }
};
JLOSS_POINTWISE(uncertainty_weighting_kernel, UncertaintyTerms)

}  // namespace jloss

#ifdef JLOSS_HOST
#include <jloss/multi_task.h>

#include "core/pointwise.h"

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
  const auto code = form.empty() ? int64_t{kRegressionForm} : form[0];
  Kernel kernel;  // for one form of all tasks, as nearly always
  if (same) {
    kernel = PointwiseLoss{uncertainty_weighting_kernel, kSum, {static_cast<double>(code)}};
  }
  return evaluate(
      {.name = name,
       .inputs = {losses, log_vars},
       .differentiable = 0b11,
       .principal = 0b11,
       .scalar = true,
       .formula =
           [same, code, form = form.vec()](at::TensorList in) {
             if (same) {
               return sum_all(uncertainty_terms(in[0], in[1], code));
             }
             std::vector<at::Tensor> terms;
             for (size_t t = 0; t < form.size(); ++t) {
               const auto i = static_cast<int64_t>(t);
               terms.push_back(uncertainty_terms(in[0].select(0, i), in[1].select(0, i), form[t]));
             }
             return sum_all(at::stack(terms));
           },
       .kernel = std::move(kernel)},
      gradients);
}

JLOSS_OPERATOR("uncertainty_weighting(Tensor losses, Tensor log_vars, int[1] form=[]) -> Tensor",
               uncertainty_weighting)

}  // namespace jloss
#endif
