#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <jloss/dispatch.h>
#include <jloss/runtime.h>

#include <atomic>
#include <mutex>

namespace jloss {
namespace {

std::atomic<int64_t> live{0};
std::atomic<int64_t> peak{0};

thread_local int64_t limit = 0;

void count(int64_t bytes) {
  const int64_t now = live.fetch_add(bytes) + bytes;
  int64_t seen = peak.load();
  while (now > seen && !peak.compare_exchange_weak(seen, now)) {
  }
}

struct Counted {
  at::DataPtr memory;
  int64_t bytes;
};

void release(void* context) {
  auto* counted = static_cast<Counted*>(context);
  live -= counted->bytes;
  delete counted;
}

/// Another allocator, with its bytes counted. Tensors hold on to their allocator, so this one is
/// never destroyed.
class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* base) : base_(base) {}

  at::DataPtr allocate(size_t n) override {
    TORCH_CHECK_WITH(OutOfMemoryError, limit == 0 || static_cast<int64_t>(n) <= limit - live,
                     "a tensor of ", n, " bytes exceeds the memory budget: ", live.load(),
                     " bytes are in use, ", limit, " are allowed");
    auto memory = base_->allocate(n);
    void* data = memory.mutable_get();
    const auto device = memory.device();
    auto* counted = new Counted{std::move(memory), static_cast<int64_t>(n)};
    count(counted->bytes);
    return {data, counted, &release, device};
  }

  void copy_data(void* dest, const void* src, std::size_t count) const override {
    default_copy_data(dest, src, count);
  }

  c10::Allocator* base() const {
    return base_;
  }

 private:
  c10::Allocator* base_;
};

std::mutex mutex;
int users = 0;
CountingAllocator* counting = nullptr;

}  // namespace

void track_memory(bool on) {
  std::lock_guard<std::mutex> lock(mutex);
  if (on) {
    if (users == 0) {
      if (counting == nullptr || counting->base() != c10::GetCPUAllocator()) {
        counting = new CountingAllocator(c10::GetCPUAllocator());
      }
      c10::SetCPUAllocator(counting);
      TORCH_CHECK(
          c10::GetCPUAllocator() == counting,
          "jloss: expected a CPU allocator that may be replaced, got one of higher priority");
    }
    ++users;
  } else if (users > 0 && --users == 0) {
    c10::SetCPUAllocator(counting->base());
  }
}

void limit_bytes(int64_t bytes) {
  limit = bytes;
}

int64_t live_bytes() {
  return live;
}

int64_t peak_bytes() {
  return peak;
}

void reset_peak_bytes() {
  peak = live.load();
}

}  // namespace jloss
