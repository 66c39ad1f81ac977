// The rowwise loop: a softmax row, what a loss makes of it, and its gradient, while the row is in
// cache.
#pragma once

#include <cstdint>

#include "kernels/capability.h"
#include "kernels/exp.h"
#include "kernels/reduced.h"
#include "kernels/rows.h"
#include "kernels/stream.h"

namespace jloss {

/// What the loop reads and writes. Rows of classes lie in memory as [outer, classes, inner]: inner
/// is 1 where the class axis is innermost, and the number of pixels where it is strided. Tensors of
/// one entry a row are in the order of the rows.
struct Rowwise : Reduced {
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t inner = 1;
  const void* x = nullptr;         // logits
  const int64_t* index = nullptr;  // class indices, each within range or ignored
  const void* t = nullptr;         // or a distribution a row, in the memory order of x
  int64_t ignore_index = 0;
  const void* factor = nullptr;        // of a row, by its class index
  int64_t factor_stride = 0;           // 0 or 1
  const void* cross_weight = nullptr;  // of a class in q; none: ones
  bool cross = false;                  // with indices: is q, the weight of each class, wanted?
  double keep = 1, add = 0;            // with a distribution: q = weight * (keep * t + add)
  double params[4] = {};
  // Out:
  void* dx = nullptr;
  void* dt = nullptr;
};

/// What a row comes to; a vector holds one row a lane.
template <class V>
struct Row {
  V logp;    ///< log p_y; 0 with distributions
  V cross;   ///< sum of q_c log p_c; 0 where q is not wanted
  V factor;  ///< of class y; 1 where there is none
};

/// The loss of a row and its derivatives by logp and by cross.
template <class V>
struct RowTerms {
  V l, dlogp, dcross;
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// The loss itself, called once for a vector of rows: behind a pointer, so that the loop is
/// compiled once for all losses.
template <class T>
using RowFunction = RowTerms<at::vec::Vectorized<T>> (*)(const double* params,
                                                         const Row<at::vec::Vectorized<T>>&);

/// What q is.
enum class Cross { kNone, kWeights, kDistribution };

/// A sum of vectors with Kahan's correction. Of finite terms only.
template <class V>
struct ExactSum {
  V sum{0}, lost{0};

  void add(V v) {
    v = v - lost;
    const V next = sum + v;
    lost = next - sum - v;
    sum = next;
  }
};

/// A sum of vectors in two levels, joined now and then: nearly as exact as a cascade.
template <class V>
struct LongSum {
  V part{0}, total{0};

  void join() {
    total = total + part;
    part = V(0);
  }
};

/// How many terms a LongSum takes before it is joined.
constexpr int64_t kJoin = 32;

template <class T, Cross Q>
class RowLoop {
  using V = at::vec::Vectorized<T>;
  static constexpr int64_t kLanes = V::size();

  /// Sums over the classes of a vector of rows. z = x - max.
  struct Sums {
    V exp{0};    // of exp z
    V zy{0};     // z of class y
    V cross{0};  // of q z
    V mass{0};   // of q
  };

  /// dl/dx_c = exp * e_c + cross * (q_c + mass * e_c) + target * [c = y] with e_c = exp(z_c), and
  /// dl/dq_c = cross * (z_c - log_sum). In this order it is exactly 0 where p and q are one-hot.
  struct Slopes {
    V exp, mass, cross, target, log_sum;

    V at(V e, V q) const {
      if constexpr (Q == Cross::kNone) {
        return exp * e;
      }
      const V from_cross = cross * at::vec::fmadd(mass, e, q);
      return Q == Cross::kWeights ? at::vec::fmadd(exp, e, from_cross) : from_cross;
    }
  };

 public:
  RowLoop(Rowwise& a, RowFunction<T> function) : a_(a), function_(function) {}

  void run() {
    const bool by_row = a_.inner == 1 && a_.classes >= kRowLength;
    const int64_t unit = by_row ? rows_at_once() : tile_lanes();
    const int64_t units = (a_.rows + unit - 1) / unit;
    const int64_t grain = std::max<int64_t>(1, kGrain / (unit * a_.classes));
    std::vector<double> partial(units);
    at::parallel_for(0, units, grain, [&](int64_t begin, int64_t end) {
      const Scratch<T> scratch(by_row ? 0 : planes() * a_.classes * unit);
      for (int64_t u = begin; u < end; ++u) {
        const int64_t row = u * unit, count = std::min(unit, a_.rows - row);
        partial[u] = by_row ? rows(row, count) : tile(scratch.data(), unit, row, count);
      }
      Output<T>::finish();
    });
    a_.sum = 0;
    for (const double p : partial) {
      a_.sum += p;
    }
  }

 private:
  // Shorter rows are turned, so that vectors run across rows.
  static constexpr int64_t kRowLength = 2 * kLanes;
  static constexpr int64_t kGrain = 16384;
  static constexpr int64_t kTileBytes = 32 << 10;
  static constexpr int64_t kLargeTileBytes = 256 << 10;
  static constexpr int64_t kMaxTile = 256;
  static constexpr int64_t kRowsBytes = 128 << 10;
  static constexpr int64_t kSideBySide = 4;

  const T* x() const {
    return static_cast<const T*>(a_.x);
  }
  const T* t() const {
    return static_cast<const T*>(a_.t);
  }
  T* dx() const {
    return static_cast<T*>(a_.dx);
  }
  T* dt() const {
    return static_cast<T*>(a_.dt);
  }
  bool wants_gradient() const {
    return a_.dx != nullptr || a_.dt != nullptr;
  }
  T class_weight(int64_t c) const {
    return a_.cross_weight == nullptr ? T(1) : static_cast<const T*>(a_.cross_weight)[c];
  }

  /// The class indices of a vector of rows. Those that are ignored point at class 0.
  struct Targets {
    int64_t index[kLanes] = {};
    T factor[kLanes], kept[kLanes];

    Targets(const Rowwise& a, int64_t row, int64_t count) {
      const auto* factors = static_cast<const T*>(a.factor);
      for (int64_t i = 0; i < kLanes; ++i) {
        factor[i] = 1;
        kept[i] = i < count;
        if (Q != Cross::kDistribution && i < count) {
          const int64_t y = a.index[row + i];
          kept[i] = y != a.ignore_index;
          index[i] = y != a.ignore_index ? y : 0;
          if (factors != nullptr) {
            factor[i] = factors[index[i] * a.factor_stride];
          }
        }
      }
    }
  };

  /// From the sums of `count` rows to their losses and slopes; adds the losses to `sum`.
  Slopes finish(int64_t row, int64_t count, const Targets& targets, const Sums& s,
                double& sum) const {
    const V log_sum = s.exp.log();
    const V zero(0), keep = V::loadu(targets.kept) == V(1);
    const V cross = Q == Cross::kNone ? zero : s.cross - s.mass * log_sum;
    const V logp = Q == Cross::kDistribution ? zero : s.zy - log_sum;
    const RowTerms<V> terms = function_(a_.params, {logp, cross, V::loadu(targets.factor)});

    const V l = V::blendv(zero, terms.l, keep);
    if (a_.l != nullptr) {
      l.store(static_cast<T*>(a_.l) + row, count);
    }
    T lane[kLanes];
    l.store(lane);
    for (const T v : lane) {
      sum += v;
    }
    V scale(static_cast<T>(a_.scale));
    if (a_.upstream != nullptr) {
      scale = scale * load(static_cast<const T*>(a_.upstream) + row, count);
    }
    // Of a row that is ignored too, the gradient is NaN where the row is not finite, as in torch.
    const V target = V::blendv(zero, terms.dlogp * scale, keep);
    const V dcross = V::blendv(zero, terms.dcross * scale, keep);
    return {target.neg() / s.exp, s.mass.neg() / s.exp, dcross, target, log_sum};
  }

  // Tiles: the rows are lanes, the classes lie `lanes` apart in the scratch memory.

  int64_t planes() const {
    return 1 + (Q == Cross::kDistribution) + (a_.dt != nullptr);
  }

  /// As many lanes as fill the first-level cache, or of many classes the second.
  int64_t tile_lanes() const {
    const int64_t bytes = a_.classes * planes() * static_cast<int64_t>(sizeof(T));
    int64_t lanes = kTileBytes / bytes;
    if (lanes < 64) {
      lanes = std::min<int64_t>(64, kLargeTileBytes / bytes);
    }
    return std::max(kLanes, std::min(lanes, kMaxTile) / kLanes * kLanes);
  }

  /// Calls f(offset in the tensor, lane, length) for each stretch of lanes that lie side by side.
  template <class F>
  void stretches(int64_t row, int64_t count, const F& f) const {
    for (int64_t lane = 0; lane < count;) {
      const int64_t outer = (row + lane) / a_.inner, i = (row + lane) % a_.inner;
      const int64_t n = std::min(a_.inner - i, count - lane);
      f(outer * a_.inner * a_.classes + i, lane, n);
      lane += n;
    }
  }

  void load_tile(const T* from, T* to, int64_t lanes, int64_t row, int64_t count) const {
    if (a_.inner == 1) {
      at::vec::transpose_mxn<T>(from + row * a_.classes, a_.classes, to, lanes,
                                static_cast<int>(count), static_cast<int>(a_.classes));
    } else {
      stretches(row, count, [&](int64_t offset, int64_t lane, int64_t n) {
        for (int64_t c = 0; c < a_.classes; ++c) {
          std::memcpy(to + c * lanes + lane, from + offset + c * a_.inner, n * sizeof(T));
        }
      });
    }
    const int64_t filled = (count + kLanes - 1) / kLanes * kLanes;
    for (int64_t c = 0; c < a_.classes && count < filled; ++c) {
      std::fill(to + c * lanes + count, to + c * lanes + filled, T(0));
    }
  }

  void store_tile(const T* from, T* to, int64_t lanes, int64_t row, int64_t count) const {
    if (a_.inner == 1) {
      at::vec::transpose_mxn<T>(from, lanes, to + row * a_.classes, a_.classes,
                                static_cast<int>(a_.classes), static_cast<int>(count));
    } else {
      const bool large = Output<T>::is_large(a_.rows * a_.classes);
      stretches(row, count, [&](int64_t offset, int64_t lane, int64_t n) {
        for (int64_t c = 0; c < a_.classes; ++c) {
          Output<T>(to + offset + c * a_.inner, 0, large).copy(from + c * lanes + lane, n);
        }
      });
    }
  }

  double tile(T* z, int64_t lanes, int64_t row, int64_t count) const {
    const int64_t plane = a_.classes * lanes;
    T* q = Q == Cross::kDistribution ? z + plane : nullptr;
    T* logs = a_.dt != nullptr ? z + 2 * plane : nullptr;
    load_tile(x(), z, lanes, row, count);
    if (q != nullptr) {
      load_tile(t(), q, lanes, row, count);
    }
    double sum = 0;
    for (int64_t j = 0; j < count; j += kLanes) {
      column(z + j, q + j, logs == nullptr ? nullptr : logs + j, lanes, row + j,
             std::min(kLanes, count - j), sum);
    }
    if (a_.dx != nullptr) {
      store_tile(z, dx(), lanes, row, count);
    }
    if (a_.dt != nullptr) {
      store_tile(logs, dt(), lanes, row, count);
    }
    return sum;
  }

  /// A vector of rows: logits at z become gradients there, distributions at q those at dq.
  void column(T* z, T* q, T* dq, int64_t lanes, int64_t row, int64_t count, double& sum) const {
    V max(-std::numeric_limits<T>::infinity());
    for (int64_t c = 0; c < a_.classes; ++c) {
      max = at::vec::maximum(max, V::loadu(z + c * lanes));
    }
    const Targets targets(a_, row, count);
    Sums s;
    if (Q != Cross::kDistribution) {
      T zy[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) {
        zy[i] = z[targets.index[i] * lanes + i];
      }
      s.zy = V::loadu(zy) - max;
    }
    ExactSum<V> exp[2];  // two, as each waits for its last sum
    LongSum<V> cross, mass;
    const V keep(static_cast<T>(a_.keep)), add(static_cast<T>(a_.add));
    const auto step = [&](int64_t c, ExactSum<V>& sum_exp) {
      const V zc = V::loadu(z + c * lanes) - max;
      if constexpr (Q == Cross::kWeights) {
        const V w(class_weight(c));
        cross.part = at::vec::fmadd(w, zc, cross.part);
        mass.part = mass.part + w;
      } else if constexpr (Q == Cross::kDistribution) {
        const V qc = V(class_weight(c)) * at::vec::fmadd(keep, V::loadu(q + c * lanes), add);
        cross.part = at::vec::fmadd(qc, zc, cross.part);
        mass.part = mass.part + qc;
        qc.store(q + c * lanes);
        if (dq != nullptr) {
          zc.store(dq + c * lanes);
        }
      }
      const V e = jloss::exp(zc);
      sum_exp.add(e);
      e.store(z + c * lanes);
    };
    for (int64_t c = 0; c < a_.classes;) {
      const int64_t end = std::min(a_.classes, c + kJoin);
      for (; c + 2 <= end; c += 2) {
        step(c, exp[0]);
        step(c + 1, exp[1]);
      }
      if (c < end) {
        step(c++, exp[0]);
      }
      cross.join();
      mass.join();
    }
    s.exp = exp[0].sum + exp[1].sum;
    s.cross = cross.total;
    s.mass = mass.total;
    const Slopes k = finish(row, count, targets, s, sum);
    if (a_.dx != nullptr) {
      for (int64_t c = 0; c < a_.classes; ++c) {
        const V qc = Q == Cross::kDistribution ? V::loadu(q + c * lanes) : V(class_weight(c));
        k.at(V::loadu(z + c * lanes), qc).store(z + c * lanes);
      }
      if (Q != Cross::kDistribution) {
        T target[kLanes];
        k.target.store(target);
        for (int64_t i = 0; i < kLanes; ++i) {
          z[targets.index[i] * lanes + i] += target[i];
        }
      }
    }
    if (Q == Cross::kDistribution && dq != nullptr) {
      for (int64_t c = 0; c < a_.classes; ++c) {
        const V slope = k.cross * V(class_weight(c)) * keep;
        (slope * (V::loadu(dq + c * lanes) - k.log_sum)).store(dq + c * lanes);
      }
    }
  }

  // Rows: vectors run along the classes. The last reaches back over classes that the one before it
  // had, as a part of a vector is slow to load and to store.

  int64_t rows_at_once() const {
    return a_.classes * static_cast<int64_t>(sizeof(T)) * kLanes <= kRowsBytes ? kLanes : 1;
  }

  static T across(V v) {
    return at::vec::vec_reduce_all<T>([](V& a, V& b) { return a + b; }, v);
  }

  int64_t last() const {
    return a_.classes - kLanes;
  }

  T row_max(const T* x) const {
    V m[4] = {V::loadu(x), V::loadu(x), V::loadu(x), V::loadu(x)};  // rows are longer than a vector
    int64_t c = 0;
    for (; c + 4 * kLanes <= a_.classes; c += 4 * kLanes) {
      for (int k = 0; k < 4; ++k) {
        m[k] = at::vec::maximum(m[k], V::loadu(x + c + k * kLanes));
      }
    }
    for (; c + kLanes <= a_.classes; c += kLanes) {
      m[0] = at::vec::maximum(m[0], V::loadu(x + c));
    }
    m[1] = at::vec::maximum(m[1], V::loadu(x + last()));
    m[0] = at::vec::maximum(at::vec::maximum(m[0], m[1]), at::vec::maximum(m[2], m[3]));
    return at::vec::vec_reduce_all<T>([](V& a, V& b) { return at::vec::maximum(a, b); }, m[0]);
  }

  V class_weights(int64_t c) const {
    return a_.cross_weight == nullptr ? V(1) : V::loadu(static_cast<const T*>(a_.cross_weight) + c);
  }

  V row_q(const T* t, int64_t c) const {
    const V w = class_weights(c);
    if constexpr (Q == Cross::kDistribution) {
      return w *
             at::vec::fmadd(V(static_cast<T>(a_.keep)), V::loadu(t + c), V(static_cast<T>(a_.add)));
    }
    return w;
  }

  double rows(int64_t row, int64_t count) const {
    const Targets targets(a_, row, count);
    T max[kLanes] = {}, exp[kLanes], zy[kLanes] = {}, cross[kLanes] = {}, mass[kLanes] = {};
    std::fill_n(exp, kLanes, T(1));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = (row + i) * a_.classes;
      const T* xi = x() + at;
      const T* ti = Q == Cross::kDistribution ? t() + at : nullptr;
      T* ei = a_.dx != nullptr ? dx() + at : nullptr;
      // The largest elements of a few rows side by side: each ends in steps that wait for another.
      for (int64_t k = i; i % kSideBySide == 0 && k < std::min(count, i + kSideBySide); ++k) {
        max[k] = row_max(x() + (row + k) * a_.classes);
      }
      const V vmax(max[i]), zero(0);
      ExactSum<V> se[2];
      LongSum<V> sc, sm;
      const auto step = [&](int64_t c, ExactSum<V>& sum_exp, const auto& fresh) {
        const V z = V::loadu(xi + c) - vmax;
        const V e = jloss::exp(z);
        if (ei != nullptr) {
          e.store(ei + c);
        }
        sum_exp.add(fresh(e));
        if constexpr (Q != Cross::kNone) {
          const V q = row_q(ti, c);
          sc.part = sc.part + fresh(q * z);
          sm.part = sm.part + fresh(q);
        }
      };
      const auto all = [](V v) { return v; };
      int64_t c = 0;
      while (c < last()) {
        const int64_t end = std::min(last(), c + kJoin * kLanes);
        for (; c + kLanes < end; c += 2 * kLanes) {
          step(c, se[0], all);
          step(c + kLanes, se[1], all);
        }
        for (; c < end; c += kLanes) {
          step(c, se[0], all);
        }
        sc.join();
        sm.join();
      }
      const int64_t seen = c - last();
      step(last(), se[1], [&](V v) { return V::set(v, zero, seen); });
      sc.join();
      sm.join();
      exp[i] = across(se[0].sum + se[1].sum);
      if (Q != Cross::kNone) {
        cross[i] = across(sc.total);
        mass[i] = across(sm.total);
      }
      if (Q != Cross::kDistribution) {
        zy[i] = xi[targets.index[i]] - max[i];
      }
    }
    double sum = 0;
    const Slopes k = finish(row, count, targets,
                            {V::loadu(exp), V::loadu(zy), V::loadu(cross), V::loadu(mass)}, sum);
    if (wants_gradient()) {
      T lane[5][kLanes];
      k.exp.store(lane[0]);
      k.mass.store(lane[1]);
      k.cross.store(lane[2]);
      k.target.store(lane[3]);
      k.log_sum.store(lane[4]);
      for (int64_t i = 0; i < count; ++i) {
        row_gradient(row + i, max[i], lane[3][i],
                     {V(lane[0][i]), V(lane[1][i]), V(lane[2][i]), V(lane[3][i]), V(lane[4][i])});
      }
    }
    return sum;
  }

  void row_gradient(int64_t row, T max, T target, const Slopes& k) const {
    const int64_t at = row * a_.classes;
    const T* ti = Q == Cross::kDistribution ? t() + at : nullptr;
    if (a_.dx != nullptr) {
      T* d = dx() + at;
      const auto slope = [&](int64_t c) {
        return k.at(V::loadu(d + c), Q == Cross::kNone ? V(0) : row_q(ti, c));
      };
      const V end = slope(last());  // before it is partly overwritten
      for (int64_t c = 0; c < last(); c += kLanes) {
        slope(c).store(d + c);
      }
      end.store(d + last());
      if (Q != Cross::kDistribution && a_.index[row] != a_.ignore_index) {
        d[a_.index[row]] += target;
      }
    }
    if (Q == Cross::kDistribution && a_.dt != nullptr) {
      const V shift(max), slope = k.cross * V(static_cast<T>(a_.keep));
      const auto by_q = [&](int64_t c) {
        const V z = V::loadu(x() + at + c) - shift;
        (slope * class_weights(c) * (z - k.log_sum)).store(dt() + at + c);
      };
      for (int64_t c = 0; c < last(); c += kLanes) {
        by_q(c);
      }
      by_q(last());
    }
  }

  Rowwise& a_;
  const RowFunction<T> function_;
};

template <class T>
void rowwise_loop(Rowwise& a, RowFunction<T> function) {
  if (a.t != nullptr) {
    RowLoop<T, Cross::kDistribution>(a, function).run();
  } else if (a.cross) {
    RowLoop<T, Cross::kWeights>(a, function).run();
  } else {
    RowLoop<T, Cross::kNone>(a, function).run();
  }
}

template <class T, template <class> class F>
RowTerms<at::vec::Vectorized<T>> row_terms(const double* params,
                                           const Row<at::vec::Vectorized<T>>& row) {
  return F<at::vec::Vectorized<T>>(params)(row);
}

template <template <class> class F>
void rowwise(Rowwise& a) {
  if (a.is_double) {
    rowwise_loop<double>(a, &row_terms<double, F>);
  } else {
    rowwise_loop<float>(a, &row_terms<float, F>);
  }
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif

/// Defines a rowwise kernel from a functor template of the vector type:
///   F(const double* params);
///   RowTerms<V> operator()(const Row<V>& row) const;
#define JLOSS_ROWWISE(NAME, FUNCTOR) JLOSS_KERNEL(NAME, Rowwise, rowwise<FUNCTOR>)
