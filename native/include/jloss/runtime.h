// What the binding asks of the library beside its losses.
#pragma once

#include <jloss/types.h>

#include <exception>
#include <string>

namespace torch {
using at::Tensor;  // the preset's name of it
}

namespace jloss {

/// Kind and message of an exception on its way to Java: the character 1, a letter (V value, I
/// index, T type, N not implemented, M memory, R any other), then the message without a backtrace.
/// The text lives until the next call on this thread.
JLOSS_API const char* describe(const std::exception& e);

/// The version of this library, and that of the libtorch whose headers it was compiled with.
JLOSS_API std::string version();
JLOSS_API std::string torch_version();

/// The kernels that run here: DEFAULT, AVX2 or AVX512. ATEN_CPU_CAPABILITY selects one, once a
/// process.
JLOSS_API std::string cpu_capability();

/// Counts the bytes of CPU tensors allocated from now on, until as many calls with false as with
/// true. Counting costs one small allocation a tensor; without it torch's allocator is untouched.
JLOSS_API void track_memory(bool on);

/// The bytes of tensors that were allocated while counting and are alive; the most there were since
/// the last reset. Of all threads.
JLOSS_API int64_t live_bytes();
JLOSS_API int64_t peak_bytes();
JLOSS_API void reset_peak_bytes();

/// JavaCPP's way to pass a long[] of one number, or null, as an optional. A jlong is a long long,
/// which on Linux is another type than int64_t.
struct OptionalInt {
  OptionalInt(const long long* data, size_t size, void* owner) : size(size), owner(owner) {
    if (data != nullptr) {
      value = *data;
    }
  }
  void assign(long long*, size_t, void*) {}
  static void deallocate(void*) {}
  operator long long*() {
    return nullptr;
  }
  operator std::optional<int64_t>() {
    return value;
  }
  size_t size;
  void* owner;
  std::optional<int64_t> value;
};

}  // namespace jloss
