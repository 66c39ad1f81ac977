// Stores past the caches, for results that are larger than them.
#pragma once

#ifndef JLOSS_HOST
#include <ATen/cpu/vec/vec.h>

#include <cstdint>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// Vectors written to an array. Of a large result whole vectors go past the caches: no line is read
/// before it is overwritten, which takes a third off the time that memory needs for an elementwise
/// loss.
template <class T>
class Output {
 public:
  using V = at::vec::Vectorized<T>;

  /// Is a result of so many elements large?
  static bool is_large(int64_t numel) {
    return numel * static_cast<int64_t>(sizeof(T)) >= 8 << 20;
  }

  /// Vectors will be written at to + begin, and whole vectors from there.
  Output(T* to, int64_t begin, bool large)
      : to_(to), streams_(kCanStream && large && to != nullptr && is_aligned(to + begin)) {}

  bool wanted() const {
    return to_ != nullptr;
  }

  void store(const V& v, int64_t j, int64_t count) const {
    if (!kCanStream || !streams_ || count != V::size()) {
      v.store(to_ + j, count);
      return;
    }
#if defined(CPU_CAPABILITY_AVX512)
    if constexpr (sizeof(T) == 4) {
      _mm512_stream_ps(to_ + j, v);
    } else {
      _mm512_stream_pd(to_ + j, v);
    }
#elif defined(CPU_CAPABILITY_AVX2)
    if constexpr (sizeof(T) == 4) {
      _mm256_stream_ps(to_ + j, v);
    } else {
      _mm256_stream_pd(to_ + j, v);
    }
#endif
  }

  void copy(const T* from, int64_t count) const {
    int64_t j = 0;
    for (; j + V::size() <= count; j += V::size()) {
      store(V::loadu(from + j), j, V::size());
    }
    if (j < count) {
      store(V::loadu(from + j, count - j), j, count - j);
    }
  }

  /// Makes what this thread has stored visible to others: at the end of a parallel loop.
  static void finish() {
#if defined(CPU_CAPABILITY_AVX512) || defined(CPU_CAPABILITY_AVX2)
    _mm_sfence();
#endif
  }

 private:
#if defined(CPU_CAPABILITY_AVX512) || defined(CPU_CAPABILITY_AVX2)
  static constexpr bool kCanStream = true;
#else
  static constexpr bool kCanStream = false;
#endif

  static bool is_aligned(const T* to) {
    return reinterpret_cast<uintptr_t>(to) % sizeof(V) == 0;
  }

  T* to_;
  bool streams_;
};

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
