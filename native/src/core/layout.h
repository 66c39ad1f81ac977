// Memory order of tensors in front of kernels.
#pragma once

#include <ATen/ATen.h>

namespace jloss {

/// x itself where its memory has neither gaps nor overlaps, in any order of axes; else a copy.
inline at::Tensor dense(const at::Tensor& x) {
  return x.is_non_overlapping_and_dense() ? x : x.contiguous();
}

/// t, of these sizes, in memory with these strides, which are dense; a copy only where they differ.
at::Tensor in_order_of(at::IntArrayRef sizes, at::IntArrayRef strides, const at::Tensor& t);

/// The same with the strides of x, which is dense.
inline at::Tensor in_order_of(const at::Tensor& x, const at::Tensor& t) {
  return in_order_of(x.sizes(), x.strides(), t);
}

/// Memory for what a kernel writes, by large pages where the system offers them: the page faults of
/// a fresh buffer would otherwise take longer than the kernel.
at::Tensor empty_result(at::IntArrayRef sizes, at::IntArrayRef strides,
                        const at::TensorOptions& options);

/// The same with the shape and strides of x, which is dense.
inline at::Tensor empty_result(const at::Tensor& x) {
  return empty_result(x.sizes(), x.strides(), x.options());
}

/// A number as a tensor, without a fill operator.
inline at::Tensor scalar(double value, const at::TensorOptions& options) {
  auto out = at::empty({}, options);
  if (options.dtype() == at::kDouble) {
    *out.mutable_data_ptr<double>() = value;
  } else {
    *out.mutable_data_ptr<float>() = static_cast<float>(value);
  }
  return out;
}

}  // namespace jloss
