#include "core/layout.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace jloss {

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
