// From tensors to matrices of rows, as kernels read and write them.
#pragma once

#include <ATen/ATen.h>

#include "core/layout.h"
#include "kernels/rows.h"

namespace jloss {

/// A matrix as a kernel reads it; whatever its strides.
inline Rows rows_of(const at::Tensor& matrix) {
  return {matrix.const_data_ptr(), matrix.stride(0), matrix.size(1) == 1 ? 1 : matrix.stride(1)};
}

/// A matrix as a kernel writes it.
inline RowsOut rows_out(const at::Tensor& matrix) {
  return {matrix.mutable_data_ptr(), matrix.stride(0), matrix.size(1) == 1 ? 1 : matrix.stride(1)};
}

/// Memory for a gradient of x: the strides of x where they are dense, as torch has it.
inline at::Tensor gradient_like(const at::Tensor& x) {
  return x.is_non_overlapping_and_dense() ? empty_result(x) : at::empty_like(x);
}

/// x, expanded to `sizes`, as a matrix of all its rows; a copy only where strides forbid a view.
inline at::Tensor as_rows(const at::Tensor& x, at::IntArrayRef sizes) {
  int64_t count = 1;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    count *= sizes[i];
  }
  return x.expand(sizes).reshape({count, sizes.back()});
}

}  // namespace jloss
