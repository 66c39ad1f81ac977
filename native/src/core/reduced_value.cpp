#include "core/reduced_value.h"

#include <ATen/ATen.h>
#include <c10/util/strides.h>

#include <algorithm>

#include "core/layout.h"

namespace jloss {
namespace {

/// One number for all terms, as the backward pass of a sum sends it.
bool is_one_number(const at::Tensor& upstream) {
  const auto strides = upstream.strides();
  return upstream.numel() > 0 &&
         std::all_of(strides.begin(), strides.end(), [](int64_t stride) { return stride == 0; });
}

}  // namespace

ReducedValue::ReducedValue(Reduced& a, int64_t reduction, double count, const at::Tensor& upstream,
                           const at::TensorOptions& options, at::IntArrayRef sizes,
                           at::IntArrayRef strides)
    : a_(a),
      reduction_(reduction),
      options_(options),
      divisor_(reduction == kMean || reduction == kBatchMean ? count : 1) {
  a.is_double = options.dtype() == at::kDouble;
  a.scale = 1 / divisor_;
  a.wants_terms = !upstream.defined();
  if (!upstream.defined()) {
    if (reduction == kNone) {
      terms = empty_result(sizes, strides, options);
      a.l = terms.mutable_data_ptr();
    }
  } else if (is_one_number(upstream)) {
    const void* number = upstream.const_data_ptr();
    a.scale *=
        a.is_double ? *static_cast<const double*>(number) : *static_cast<const float*>(number);
  } else {
    upstream_ = in_order_of(sizes, strides, upstream);
    a.upstream = upstream_.const_data_ptr();
  }
}

ReducedValue::ReducedValue(Reduced& a, int64_t reduction, double count, const at::Tensor& upstream,
                           const at::TensorOptions& options, at::IntArrayRef sizes)
    : ReducedValue(a, reduction, count, upstream, options, sizes, c10::contiguous_strides(sizes)) {}

at::Tensor ReducedValue::operator()() const {
  return reduction_ == kNone ? terms : scalar(a_.sum / divisor_, options_);
}

}  // namespace jloss
