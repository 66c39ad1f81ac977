#include "core/reduce.h"

#include <ATen/ATen.h>
#include <jloss/types.h>

namespace jloss {
namespace {
// at::sum runs serially up to at::internal::GRAIN_SIZE elements.
constexpr int64_t kSerial = 32768;
constexpr int64_t kChunk = 4096;
}  // namespace

at::Tensor sum_all(const at::Tensor& x) {
  // The thread count only matters to CPU tensors, whose sizes are plain numbers.
  if (!x.is_cpu() || x.unsafeGetTensorImpl()->has_symbolic_sizes_strides() ||
      x.numel() <= kSerial) {
    return x.sum();
  }
  const auto flat = x.reshape({-1});
  const int64_t chunks = flat.numel() / kChunk;
  // A sum along the inner axis is computed row by row whoever computes the row.
  auto partial = flat.narrow(0, 0, chunks * kChunk).view({chunks, kChunk}).sum(1);
  const int64_t rest = flat.numel() - chunks * kChunk;
  if (rest > 0) {
    partial = at::cat({partial, flat.narrow(0, chunks * kChunk, rest).sum().unsqueeze(0)});
  }
  return sum_all(partial);
}

at::Tensor reduce(const at::Tensor& terms, int64_t reduction) {
  if (reduction == kNone) {
    return terms;
  }
  const auto total = sum_all(terms);
  return reduction == kMean        ? total / terms.sym_numel()
         : reduction == kBatchMean ? total / (terms.dim() == 0 ? c10::SymInt(1) : terms.sym_size(0))
                                   : total;
}

at::Tensor reduce(const at::Tensor& terms, int64_t reduction, const at::Tensor& denominator) {
  if (reduction == kNone) {
    return terms;
  }
  const auto total = sum_all(terms);
  return reduction == kMean ? total / denominator : total;
}

at::Tensor reduce_weighted(const at::Tensor& terms, const at::Tensor& weight, int64_t reduction) {
  return weight.defined() ? reduce(terms * weight, reduction, sum_all(weight))
                          : reduce(terms, reduction);
}

}  // namespace jloss
