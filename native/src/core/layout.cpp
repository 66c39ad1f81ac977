#include "core/layout.h"

#include <algorithm>
#include <numeric>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace jloss {

at::Tensor in_order_of(at::IntArrayRef sizes, at::IntArrayRef strides, const at::Tensor& t) {
  bool same = t.sizes() == sizes;
  for (int64_t d = 0; same && d < t.dim(); ++d) {
    same = sizes[d] == 1 || t.stride(d) == strides[d];
  }
  if (same) {
    return t;
  }
  // With the axes in the order of the result's memory, ATen sees a transposed matrix as one.
  std::vector<int64_t> outermost_first(sizes.size());
  std::iota(outermost_first.begin(), outermost_first.end(), 0);
  std::stable_sort(outermost_first.begin(), outermost_first.end(),
                   [&](int64_t a, int64_t b) { return strides[a] > strides[b]; });
  auto copy = at::empty_strided(sizes, strides, t.options());
  copy.permute(outermost_first).copy_(t.permute(outermost_first));
  return copy;
}

at::Tensor empty_result(at::IntArrayRef sizes, at::IntArrayRef strides,
                        const at::TensorOptions& options) {
  auto made = at::empty_strided(sizes, strides, options);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Whole pages alone, so that no memory beyond the tensor is taken. Advice: a refusal is none.
  constexpr uintptr_t kPage = 2 << 20;
  const auto begin = reinterpret_cast<uintptr_t>(made.mutable_data_ptr());
  const uintptr_t first = (begin + kPage - 1) / kPage * kPage;
  const uintptr_t last = (begin + made.nbytes()) / kPage * kPage;
  if (last > first + kPage) {
    madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
  }
#endif
  return made;
}

}  // namespace jloss
