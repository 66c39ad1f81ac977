// From a kernel's terms to the value of a loss.
#pragma once

#include <ATen/core/Tensor.h>
#include <jloss/types.h>

#include "kernels/reduced.h"

namespace jloss {

/// The value by a kernel: of reduction none a tensor of all terms, else one number.
class ReducedValue {
 public:
  /// Tells the kernel where to put the terms and by what to multiply gradients. The terms lie in
  /// memory as a tensor of these sizes and strides; the mean is their sum divided by `count`. An
  /// upstream gradient is of reduction none, and then no value is wanted.
  ReducedValue(Reduced& a, int64_t reduction, double count, const at::Tensor& upstream,
               const at::TensorOptions& options, at::IntArrayRef sizes, at::IntArrayRef strides);

  /// The same where the terms lie in the order of their axes.
  ReducedValue(Reduced& a, int64_t reduction, double count, const at::Tensor& upstream,
               const at::TensorOptions& options, at::IntArrayRef sizes);

  /// After the kernel has run.
  at::Tensor operator()() const;

  at::Tensor terms;  ///< of reduction none, else undefined

 private:
  const Reduced& a_;
  const int64_t reduction_;
  const at::TensorOptions options_;
  const double divisor_;
  at::Tensor upstream_;
};

}  // namespace jloss
