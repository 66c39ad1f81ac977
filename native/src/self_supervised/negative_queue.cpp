#ifdef JLOSS_HOST
#include <jloss/self_supervised.h>

#include <c10/core/impl/TorchDispatchModeTLS.h>

#include "core/loss.h"

namespace jloss {
namespace {

/// Whether no two elements of a matrix share memory: the longer step passes over all shorter ones.
bool lies_apart(const at::Tensor& x) {
  if (x.size(0) <= 1 || x.size(1) <= 1) {
    return x.numel() <= 1 || x.stride(x.size(0) > 1 ? 0 : 1) > 0;
  }
  const int64_t longer = x.stride(0) > x.stride(1) ? 0 : 1, shorter = 1 - longer;
  return x.stride(shorter) > 0 && x.stride(longer) >= x.stride(shorter) * x.size(shorter);
}

}  // namespace

void negative_queue(const at::Tensor& keys, const at::Tensor& queue, const at::Tensor& ptr) {
  const char* const name = "negative_queue";
  const Arg q{name, "queue", queue};
  check_floating(q);
  check_like({name, "keys", keys}, q);
  TORCH_CHECK_VALUE(queue.dim() == 2 && queue.sym_size(0) > 0, name,
                    ": expected queue of shape (K, D) with K > 0, got ", queue.sym_sizes());
  TORCH_CHECK_VALUE(keys.dim() == 2 && keys.sym_size(1) == queue.sym_size(1), name,
                    ": expected keys of shape (N, ", queue.sym_size(1), "), got ",
                    keys.sym_sizes());
  check_long({name, "ptr", ptr});
  TORCH_CHECK_VALUE(ptr.dim() == 0, name, ": expected ptr of shape (), got ", ptr.sym_sizes());
  check_device({name, "ptr", ptr}, q);
  if (is_plain(ptr) && !c10::impl::dispatch_mode_enabled()) {
    const int64_t at = *ptr.const_data_ptr<int64_t>();
    TORCH_CHECK_INDEX(at >= 0 && at < queue.size(0), name, ": expected ptr from 0 to ",
                      queue.size(0) - 1, ", got ", at);
  }

  TORCH_CHECK_VALUE(!is_plain(queue) || lies_apart(queue), name,
                    ": expected queue with its elements apart in memory, got strides ",
                    queue.strides());

  within(name, [&] {
    at::NoGradGuard no_grad;
    const auto size = queue.sym_size(0), count = keys.sym_size(0);
    // Of more keys than places only the last stay: an index must not occur twice.
    const auto skipped = count > size ? count - size : c10::SymInt(0);
    const auto places = at::arange(at::Scalar(skipped), at::Scalar(count), ptr.options());
    // index_copy_ refuses rows of the queue's own.
    const bool own = is_plain(keys) && is_plain(queue) && keys.is_alias_of(queue);
    queue.index_copy_(0, (places + ptr).remainder(at::Scalar(size)),
                      (own ? keys.clone() : keys.detach()).slice_symint(0, skipped, count));
    ptr.add_(at::Scalar(count)).remainder_(at::Scalar(size));
  });
}

TORCH_LIBRARY_FRAGMENT(jloss, m) {
  m.def("negative_queue(Tensor keys, Tensor(a!) queue, Tensor(b!) ptr) -> ()",
        TORCH_FN(negative_queue), {at::Tag::pt2_compliant_tag});
}

}  // namespace jloss
#endif
