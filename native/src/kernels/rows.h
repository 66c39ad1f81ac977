// Rows of matrices in front of kernels: packed where memory is not, and sums along them.
#pragma once

#include <cstdint>

namespace jloss {

/// A matrix that a kernel reads, in elements.
struct Rows {
  const void* data = nullptr;
  int64_t row = 0;  // stride from row to row
  int64_t col = 1;  // and within a row
};

/// A matrix that a kernel writes.
struct RowsOut {
  void* data = nullptr;
  int64_t row = 0;
  int64_t col = 1;
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/cpu/vec/vec.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <new>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// Uninitialised memory on a cache line: matrix products may differ in bits by alignment.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t count) {
    const size_t bytes = (static_cast<size_t>(std::max<int64_t>(count, 1)) * sizeof(T) + 63) & ~63;
    data_.reset(static_cast<T*>(std::aligned_alloc(64, bytes)));
    if (data_ == nullptr) {
      throw std::bad_alloc();
    }
  }

  T* data() const {
    return data_.get();
  }

  T& operator[](int64_t i) const {
    return data_.get()[i];
  }

 private:
  struct Free {
    void operator()(T* p) const {
      std::free(p);
    }
  };
  std::unique_ptr<T, Free> data_;
};

template <class T>
at::vec::Vectorized<T> load(const T* p, int64_t count) {
  using V = at::vec::Vectorized<T>;
  return count == V::size() ? V::loadu(p) : V::loadu(p, count);
}

/// f(j, count) for whole vectors and then the tail.
template <class T, class F>
void for_vectors(int64_t length, const F& f) {
  constexpr int64_t size = at::vec::Vectorized<T>::size();
  int64_t j = 0;
  for (; j + size <= length; j += size) {
    f(j, size);
  }
  if (j < length) {
    f(j, length - j);
  }
}

/// Sum of f(j, count), a vector, and of tail(j, count) where fewer are left than a vector; short
/// runs in T are joined in double.
template <class T, class F, class Tail>
double sum_vectors(int64_t length, const F& f, const Tail& tail) {
  using V = at::vec::Vectorized<T>;
  constexpr int64_t size = V::size();
  double total = 0;
  int64_t j = 0;
  do {
    const int64_t stop = std::min(length, j + 32 * size);
    V sum(0);
    for (; j + size <= stop; j += size) {
      sum = sum + f(j, size);
    }
    if (j < stop) {
      sum = sum + tail(j, stop - j);
      j = stop;
    }
    T lanes[size];
    sum.store(lanes);
    for (const T lane : lanes) {
      total += lane;
    }
  } while (j < length);
  return total;
}

template <class T, class F>
double sum_vectors(int64_t length, const F& f) {
  using V = at::vec::Vectorized<T>;
  return sum_vectors<T>(length, f,
                        [&](int64_t j, int64_t count) { return V::set(V(0), f(j, count), count); });
}

/// Largest of f(j, count); NaN wins.
template <class T, class F>
T max_vectors(int64_t length, const F& f) {
  using V = at::vec::Vectorized<T>;
  V most(-std::numeric_limits<T>::infinity());
  for_vectors<T>(length, [&](int64_t j, int64_t count) {
    const V v = f(j, count);
    most = at::vec::maximum(most, count == V::size() ? v : V::set(most, v, count));
  });
  T lanes[V::size()];
  most.store(lanes);
  T result = lanes[0];
  for (const T lane : lanes) {
    result = lane > result || lane != lane ? lane : result;
  }
  return result;
}

/// Are `count` rows read from the matrix's own memory? Rows that overlap are not.
inline bool reads_in_place(const Rows& x, int64_t count, int64_t dim, const void* factors) {
  return factors == nullptr && x.col == 1 && (x.row >= dim || count == 1);
}

/// f(i, j) over a matrix that is turned: in squares, whose lines of both orders stay in the cache.
template <class F>
void by_squares(int64_t rows, int64_t cols, const F& f) {
  constexpr int64_t kSide = 16;
  for (int64_t i = 0; i < rows; i += kSide) {
    for (int64_t j = 0; j < cols; ++j) {
      for (int64_t k = i; k < std::min(rows, i + kSide); ++k) {
        f(k, j);
      }
    }
  }
}

/// Rows [first, first + count), each times its factor where there are factors, with neighbouring
/// elements side by side: the matrix's own memory where it is so, else copied to scratch.
template <class T>
const T* load_rows(const Rows& x, int64_t first, int64_t count, int64_t dim, const T* factors,
                   T* scratch, int64_t& stride) {
  const T* from = static_cast<const T*>(x.data) + first * x.row;
  if (reads_in_place(x, count, dim, factors)) {
    stride = std::max(x.row, std::max<int64_t>(dim, 1));
    return from;
  }
  stride = std::max<int64_t>(dim, 1);
  if (x.col == 1) {
    using V = at::vec::Vectorized<T>;
    for (int64_t i = 0; i < count; ++i) {
      const V factor(factors == nullptr ? T(1) : factors[first + i]);
      for_vectors<T>(dim, [&](int64_t j, int64_t n) {
        (load(from + i * x.row + j, n) * factor).store(scratch + i * dim + j, n);
      });
    }
    return scratch;
  }
  by_squares(count, dim, [&](int64_t i, int64_t j) {
    const T v = from[i * x.row + j * x.col];
    scratch[i * dim + j] = factors == nullptr ? v : v * factors[first + i];
  });
  return scratch;
}

/// Where to write row `first` and those after it: the matrix itself or scratch, as store_rows
/// wants.
template <class T>
T* rows_to_write(const RowsOut& x, int64_t first, int64_t dim, T* scratch, int64_t& stride) {
  if (x.data == nullptr) {
    return nullptr;
  }
  if (x.col == 1) {
    stride = x.row;
    return static_cast<T*>(x.data) + first * x.row;
  }
  stride = dim;
  return scratch;
}

template <class T>
void store_rows(const RowsOut& x, int64_t first, int64_t count, int64_t dim, const T* from) {
  if (x.data == nullptr || x.col == 1) {
    return;
  }
  T* to = static_cast<T*>(x.data) + first * x.row;
  by_squares(count, dim,
             [&](int64_t i, int64_t j) { to[i * x.row + j * x.col] = from[i * dim + j]; });
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
