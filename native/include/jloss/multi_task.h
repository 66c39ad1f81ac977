// Losses of several tasks as one.
#pragma once

#include <jloss/types.h>

namespace jloss {

/// What uncertainty_weighting takes a task for.
enum UncertaintyForm : int64_t {
  kRegressionForm = 0,      ///< exp(-s) L / 2 + s / 2
  kClassificationForm = 1,  ///< exp(-s) L + s / 2
  kPlainForm = 2,           ///< exp(-s) L + s
  kSoftplusForm = 3         ///< exp(-s) L / 2 + log(1 + exp(s)), never negative
};

/// Homoscedastic uncertainty weighting: the sum over tasks of exp(-s) L / 2 + s / 2, or of another
/// form, with s = log sigma^2 learned.
///
/// losses (T): the tasks' losses L, floating. log_vars (T): s, losses' dtype; kept by the caller,
/// usually begun at 0. form: one UncertaintyForm for all tasks, or one a task; empty means
/// regression. Value: one number. Differentiable in both inputs.
/// Throws ValueError on shapes and forms, TypeError on dtypes.
/// Source: Kendall, Gal, Cipolla, 2018; plain: Gal's example code; softplus: Liebel, Koerner, 2018.
JLOSS_API at::Tensor uncertainty_weighting(const at::Tensor& losses, const at::Tensor& log_vars,
                                           at::IntArrayRef form = {},
                                           Gradients* gradients = nullptr);

}  // namespace jloss
