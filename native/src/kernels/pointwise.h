// The pointwise loop: l(x, t) and its derivatives, element by element, in one pass.
#pragma once

#include <cstdint>

#include "kernels/capability.h"
#include "kernels/reduced.h"
#include "kernels/rows.h"
#include "kernels/stream.h"

namespace jloss {

/// What the loop reads and writes. Results, terms and upstream lie densely in one order.
struct Pointwise : Reduced {
  /// What is read by its strides.
  struct Operand {
    const void* data = nullptr;
    int64_t inner = 0;        // stride along the inner axis: 0 or 1
    int64_t strides[8] = {};  // along the outer axes
  };

  int64_t numel = 0;
  int64_t inner = 0;  // length of the inner axis, along which operands have one stride
  int outer_dims = 0;
  int64_t outer[8] = {};
  Operand x, t;    // their inner stride is 1
  Operand weight;  // a factor of the loss
  Operand extra;   // whatever the loss takes it for
  double params[4] = {};
  // Out:
  void* dx = nullptr;
  void* dt = nullptr;
};

/// What one element yields; a functor leaves out what `Wanted` does not ask for.
template <class V>
struct Terms {
  V l, dx, dt;
};

enum Wanted { kValue, kGradX, kGradXT, kGradXAlone };

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/vec.h>

#include <algorithm>
#include <type_traits>
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// A row of an operand.
template <class T>
struct Cursor {
  const T* row = nullptr;
  int64_t inner = 0;

  Cursor(const Pointwise& a, const Pointwise::Operand& operand, int64_t index) {
    if (operand.data == nullptr) {
      return;
    }
    int64_t offset = 0;
    for (int d = a.outer_dims - 1; d >= 0; --d) {
      offset += index % a.outer[d] * operand.strides[d];
      index /= a.outer[d];
    }
    row = static_cast<const T*>(operand.data) + offset;
    inner = operand.inner;
  }

  at::vec::Vectorized<T> load(int64_t j, int64_t count) const {
    using V = at::vec::Vectorized<T>;
    if (row == nullptr) {
      return V(1);
    }
    if (inner == 0) {
      return V(*row);
    }
    return jloss::load(row + j, count);
  }
};

/// Elements [begin, end) of a row that starts at `base` in the results; returns the sum of l.
template <class T, Wanted W, class F>
double pointwise_run(const F& f, const Pointwise& a, int64_t base, int64_t begin, int64_t end) {
  using V = at::vec::Vectorized<T>;
  const int64_t row = base / a.inner;
  const T* const x = Cursor<T>(a, a.x, row).row;
  const T* const t = Cursor<T>(a, a.t, row).row;
  const Cursor<T> weight(a, a.weight, row), extra(a, a.extra, row);
  const T* up = a.upstream == nullptr ? nullptr : static_cast<const T*>(a.upstream) + base;
  const auto output = [&](void* to) {
    return Output<T>(to == nullptr ? nullptr : static_cast<T*>(to) + base, begin,
                     Output<T>::is_large(a.numel));
  };
  const Output<T> l = output(a.l), dx = output(a.dx), dt = output(a.dt);
  const V scale(static_cast<T>(a.scale));
  const bool weighted = weight.row != nullptr;

  // Inlined by order: GCC calls it otherwise, as there are two places, and spills every vector.
  const auto step = [&](int64_t j, int64_t count, auto full) __attribute__((always_inline)) {
    const auto read = [&](const T* from) {
      return full ? V::loadu(from + j) : V::loadu(from + j, count);
    };
    Terms<V> terms = f.template operator()<W>(read(x), read(t), extra.load(j, count));
    V factor = scale;
    if (weighted) {
      const V w = weight.load(j, count);
      terms.l = terms.l * w;
      factor = factor * w;
    }
    if (up != nullptr) {
      factor = factor * read(up);
    }
    if (W != kGradXAlone && l.wanted()) {
      l.store(terms.l, j, count);
    }
    if constexpr (W != kValue) {
      if (dx.wanted()) {
        dx.store(terms.dx * factor, j, count);
      }
    }
    if constexpr (W == kGradXT) {
      if (dt.wanted()) {
        dt.store(terms.dt * factor, j, count);
      }
    }
    return W == kGradXAlone ? V(0) : terms.l;
  };

  double totals[V::size()] = {};
  while (begin < end) {
    // Short runs of vector sums, joined in double: as exact as a cascade, whatever the length.
    const int64_t stop = std::min(end, begin + 32 * V::size());
    V sum(0);
    for (; begin + V::size() <= stop; begin += V::size()) {
      sum = sum + step(begin, V::size(), std::true_type());
    }
    if (begin < stop) {
      sum = sum + V::set(V(0), step(begin, stop - begin, std::false_type()), stop - begin);
      begin = stop;
    }
    T lanes[V::size()];
    sum.store(lanes);
    for (int i = 0; i < V::size(); ++i) {
      totals[i] += lanes[i];
    }
  }
  double total = 0;
  for (const double lane : totals) {
    total += lane;
  }
  return total;
}

template <class T, Wanted W, template <class> class F>
void pointwise_loop(Pointwise& a) {
  // Chunks of one size give the same partial sums to any number of threads.
  constexpr int64_t kChunk = 8192;
  const F<at::vec::Vectorized<T>> f(a.params);
  const int64_t chunks = (a.numel + kChunk - 1) / kChunk;
  std::vector<double> partial(chunks);
  at::parallel_for(0, chunks, 2, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      const int64_t end = std::min(a.numel, (c + 1) * kChunk);
      for (int64_t i = c * kChunk; i < end;) {
        const int64_t base = i / a.inner * a.inner;
        const int64_t stop = std::min(end, base + a.inner);
        partial[c] += pointwise_run<T, W>(f, a, base, i - base, stop - base);
        i = stop;
      }
    }
    Output<T>::finish();
  });
  a.sum = 0;
  for (const double p : partial) {
    a.sum += p;
  }
}

template <class T, template <class> class F>
void pointwise_wanted(Pointwise& a) {
  if (a.dt != nullptr) {
    pointwise_loop<T, kGradXT, F>(a);
  } else if (a.dx != nullptr && !a.wants_terms) {
    pointwise_loop<T, kGradXAlone, F>(a);
  } else if (a.dx != nullptr) {
    pointwise_loop<T, kGradX, F>(a);
  } else {
    pointwise_loop<T, kValue, F>(a);
  }
}

template <template <class> class F>
void pointwise(Pointwise& a) {
  if (a.is_double) {
    pointwise_wanted<double, F>(a);
  } else {
    pointwise_wanted<float, F>(a);
  }
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif

/// Defines a pointwise kernel from a functor template of the vector type:
///   F(const double* params);
///   template <Wanted W> Terms<V> operator()(V x, V t, V extra) const;
#define JLOSS_POINTWISE(NAME, FUNCTOR) JLOSS_KERNEL(NAME, Pointwise, pointwise<FUNCTOR>)
