#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <jloss/dispatch.h>
#include <jloss/runtime.h>

#include <atomic>
#include <mutex>

#if defined(_WIN32)
#include <malloc.h>
#elif defined(__APPLE__)
#include <malloc/malloc.h>
#else
#include <malloc.h>
#endif

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

/// How many bytes a piece of the base allocator's memory has.
int64_t size_of(void* memory) {
#if defined(_WIN32)
  return static_cast<int64_t>(_aligned_msize(memory, c10::gAlignment, 0));
#elif defined(__APPLE__)
  return static_cast<int64_t>(malloc_size(memory));
#else
  return static_cast<int64_t>(malloc_usable_size(memory));
#endif
}

/// Another allocator, with its bytes counted. Tensors hold on to their allocator, so this one is
/// never destroyed.
///
/// It hands out the base's memory as it is, without a header or a context of its own: oneDNN's
/// operators allocate raw pointers, and may free them when another allocator is in place.
class CountingAllocator final : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* base) : base_(base) {
    const auto free = base->raw_deleter();
    TORCH_CHECK(free != nullptr && (free_ == nullptr || free_ == free),
                "jloss: expected the CPU allocator to free raw pointers always in one way");
    free_ = free;
  }

  at::DataPtr allocate(size_t n) override {
    TORCH_CHECK_WITH(OutOfMemoryError, limit == 0 || static_cast<int64_t>(n) <= limit - live,
                     "a tensor of ", n, " bytes exceeds the memory budget: ", live.load(),
                     " bytes are in use, ", limit, " are allowed");
    auto memory = base_->allocate(n);
    if (memory.get() != nullptr) {
      count(size_of(memory.get()));
      TORCH_INTERNAL_ASSERT(memory.compare_exchange_deleter(free_, &release));
    }
    return memory;
  }

  at::DeleterFnPtr raw_deleter() const override {
    return &release;
  }

  void copy_data(void* dest, const void* src, std::size_t count) const override {
    default_copy_data(dest, src, count);
  }

  c10::Allocator* base() const {
    return base_;
  }

 private:
  static void release(void* memory) {
    if (memory != nullptr) {
      live -= size_of(memory);
      free_(memory);
    }
  }

  c10::Allocator* base_;
  // The memory outlives its allocator.
  static at::DeleterFnPtr free_;
};

at::DeleterFnPtr CountingAllocator::free_ = nullptr;

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
