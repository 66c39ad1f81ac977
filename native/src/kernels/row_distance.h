// Row-aligned distances: d(x_i, y_i) of a few matrices, then the gradient rows while they are in
// cache.
#pragma once

#include "kernels/capability.h"
#include "kernels/reduced.h"
#include "kernels/rows.h"

namespace jloss {

/// What the loop reads and writes. Roles: 0 and 1 for pairs; 0, 1, 2 = anchor, positive, negative.
struct RowDistance : Reduced {
  int64_t rows = 0;
  int64_t dim = 0;
  int64_t distance = 0;  // a code of Distance
  double p = 2;
  double eps = 0;
  double margin = 0;
  bool swap = false;
  double similar_label = 1;
  double factor = 1;  // of the contrastive terms
  Rows in[3];
  const void* target = nullptr;  // a label a row
  // Out:
  RowsOut grad[3];
  int64_t bad_row = -1;  // the first row whose label is neither 0 nor 1
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/Parallel.h>

#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// Sign, 0 for 0 and NaN.
template <class V>
V sign(V x) {
  return V::blendv(V(0), V(1), x > V(0)) - V::blendv(V(0), V(1), x < V(0));
}

template <class V>
V select(V condition, V yes, V no) {
  return V::blendv(no, yes, condition);
}
inline double select(bool condition, double yes, double no) {
  return condition ? yes : no;
}

template <class V>
V root(V x) {
  return x.sqrt();
}
inline double root(double x) {
  return std::sqrt(x);
}

/// x^p; by multiplication where that is as exact as pow, which takes thirty times as long.
template <class V>
V power(V x, double p) {
  const double size = std::abs(p);
  if (size != 2 && size != 3 && size != 4) {
    return x.pow(V(static_cast<typename V::value_type>(p)));
  }
  V product = x * x;
  for (int i = 2; i < static_cast<int>(size); ++i) {
    product = product * x;
  }
  return p > 0 ? product : V(1) / product;
}
inline double power(double x, double p) {
  return std::pow(x, p);
}

// A kernel walks rows by one of two kinds of lanes. It sees elements as vectors V, as many as
// each() calls it for, and what is one number a row as a Number, in double: distances stay so until
// a loss has taken their differences, in which the rounding of each would be all that is left.

/// Lanes along one row of at least a vector.
template <class T>
struct AlongRow {
  using V = at::vec::Vectorized<T>;
  using Element = T;  // in what the kernel reads and writes
  using Number = double;
  static constexpr int64_t kRows = 1;
  static constexpr int64_t kBlock = 16;

  /// f(j, count) for vectors that cover the row: the last may overlap the one before.
  template <class F>
  static void each(int64_t dim, const F& f) {
    for_vectors<T>(dim, [&](int64_t j, int64_t n) { f(n == kSize ? j : dim - kSize, kSize); });
  }
  template <class F>
  static Number sum(int64_t dim, const F& f) {
    return sum_vectors<T>(
        dim, f, [&](int64_t, int64_t n) { return V::set(f(dim - kSize, kSize), V(0), kSize - n); });
  }
  template <class F>
  static Number max(int64_t dim, const F& f) {
    return max_vectors<T>(dim, f);
  }
  static V spread(Number x) {
    return V(static_cast<T>(x));
  }
  static double total(Number x, int64_t) {
    return x;
  }
  static Number read(const RowDistance&, const void* from, int64_t row, int64_t) {
    return static_cast<const T*>(from)[row];
  }
  static void write(const RowDistance&, Number x, void* to, int64_t row, int64_t) {
    static_cast<T*>(to)[row] = static_cast<T>(x);
  }

  static bool packs(int64_t col) {
    return col != 1;
  }
  /// A block of rows, `step` elements apart: in place, or in scratch.
  static const T* load(const RowDistance& a, const Rows& x, int64_t first, int64_t count,
                       T* scratch, int64_t& step) {
    if (packs(x.col)) {
      return load_rows<T>(x, first, count, a.dim, nullptr, scratch, step);
    }
    step = x.row;
    return static_cast<const T*>(x.data) + first * x.row;
  }
  static T* to_write(const RowDistance& a, const RowsOut& x, int64_t first, T* scratch,
                     int64_t& step) {
    return rows_to_write<T>(x, first, a.dim, scratch, step);
  }
  static void store(const RowDistance& a, const RowsOut& x, int64_t first, int64_t count,
                    const T* from) {
    store_rows<T>(x, first, count, a.dim, from);
  }

 private:
  static constexpr int64_t kSize = V::size();
};

/// Lanes across short rows, whose blocks are turned, and doubles throughout.
struct AcrossRows {
  using V = at::vec::Vectorized<double>;
  using Element = double;
  using Number = V;
  static constexpr int64_t kRows = V::size();
  static constexpr int64_t kBlock = 32;

  template <class F>
  static void each(int64_t dim, const F& f) {
    for (int64_t j = 0; j < dim; ++j) {
      f(j * kBlock, kRows);
    }
  }
  template <class F>
  static Number sum(int64_t dim, const F& f) {
    Number result(0);
    each(dim, [&](int64_t j, int64_t n) { result = result + f(j, n); });
    return result;
  }
  template <class F>
  static Number max(int64_t dim, const F& f) {
    Number result(-std::numeric_limits<double>::infinity());
    each(dim, [&](int64_t j, int64_t n) { result = at::vec::maximum(result, f(j, n)); });
    return result;
  }
  static V spread(Number x) {
    return x;
  }
  static double total(Number x, int64_t count) {
    double lanes[kRows], result = 0;
    x.store(lanes);
    for (int64_t i = 0; i < count; ++i) {
      result += lanes[i];
    }
    return result;
  }
  static Number read(const RowDistance& a, const void* from, int64_t row, int64_t count) {
    double lanes[kRows] = {};
    for (int64_t i = 0; i < count; ++i) {
      lanes[i] = a.is_double ? static_cast<const double*>(from)[row + i]
                             : static_cast<const float*>(from)[row + i];
    }
    return Number::loadu(lanes);
  }
  static void write(const RowDistance& a, Number x, void* to, int64_t row, int64_t count) {
    double lanes[kRows];
    x.store(lanes);
    a.is_double ? scatter<double>(lanes, to, row, 1, count)
                : scatter<float>(lanes, to, row, 1, count);
  }

  static bool packs(int64_t) {
    return true;
  }
  static const double* load(const RowDistance& a, const Rows& x, int64_t first, int64_t count,
                            double* scratch, int64_t& step) {
    if (count < kBlock) {
      std::fill_n(scratch, kBlock * a.dim, 0.0);
    }
    for (int64_t j = 0; j < a.dim; ++j) {
      const int64_t at = first * x.row + j * x.col;
      a.is_double ? gather<double>(x.data, at, x.row, count, scratch + j * kBlock)
                  : gather<float>(x.data, at, x.row, count, scratch + j * kBlock);
    }
    step = 1;
    return scratch;
  }
  static double* to_write(const RowDistance&, const RowsOut& x, int64_t, double* scratch,
                          int64_t& step) {
    step = 1;
    return x.data == nullptr ? nullptr : scratch;
  }
  static void store(const RowDistance& a, const RowsOut& x, int64_t first, int64_t count,
                    const double* from) {
    for (int64_t j = 0; j < a.dim; ++j) {
      const int64_t at = first * x.row + j * x.col;
      a.is_double ? scatter<double>(from + j * kBlock, x.data, at, x.row, count)
                  : scatter<float>(from + j * kBlock, x.data, at, x.row, count);
    }
  }

 private:
  template <class T>
  static void gather(const void* from, int64_t at, int64_t step, int64_t count,
                     double* __restrict to) {
    const T* p = static_cast<const T*>(from) + at;
    const auto run = [&](int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        to[i] = p[i * step];
      }
    };
    count == kBlock ? run(kBlock) : run(count);  // of a constant count GCC makes vectors
  }
  template <class T>
  static void scatter(const double* from, void* to, int64_t at, int64_t step, int64_t count) {
    T* p = static_cast<T*>(to) + at;
    for (int64_t i = 0; i < count; ++i) {
      p[i * step] = static_cast<T>(from[i]);
    }
  }
};

// A metric measures one pair of rows a lane and then yields dd/dx and dd/dy by elements.
// Similarities count as distances with the sign turned.

template <class V>
struct Slopes {
  V dx, dy;
};

/// Distances of the difference alone: dd/dy = -dd/dx.
template <class L>
struct Difference {
  using Lanes = L;
  using V = typename L::V;
  using S = typename L::Element;
  using Number = typename L::Number;
  S eps;
  V factor;

  explicit Difference(const RowDistance& a) : eps(static_cast<S>(a.eps)) {}

  V diff(V x, V y) const {
    return x - y + V(eps);
  }
  /// f(x - y + eps) by vectors.
  template <class F>
  auto of_diff(const S* x, const S* y, const F& f) const {
    return [=](int64_t j, int64_t n) { return f(diff(load(x + j, n), load(y + j, n))); };
  }
  static Slopes<V> opposite(V dx) {
    return {dx, dx.neg()};
  }
};

/// (sum |x - y + eps|^p)^(1/p); the gradient is 0 at 0, as torch's norm has it.
template <class L>
struct Norm1 : Difference<L> {
  using typename Difference<L>::V;
  using typename Difference<L>::S;
  using typename Difference<L>::Number;
  using Difference<L>::Difference;

  Number measure(const S* x, const S* y, int64_t dim) {
    return L::sum(dim, this->of_diff(x, y, [](V e) { return e.abs(); }));
  }
  Slopes<V> slopes(V x, V y) const {
    return this->opposite(sign(this->diff(x, y)));
  }
};

template <class L>
struct Norm2 : Difference<L> {
  using typename Difference<L>::V;
  using typename Difference<L>::S;
  using typename Difference<L>::Number;
  using Difference<L>::Difference;

  Number measure(const S* x, const S* y, int64_t dim) {
    const Number d = root(L::sum(dim, this->of_diff(x, y, [](V e) { return e * e; })));
    this->factor = L::spread(select(d == Number(0), Number(0), Number(1) / d));
    return d;
  }
  Slopes<V> slopes(V x, V y) const {
    return this->opposite(this->diff(x, y) * this->factor);
  }
};

template <class L>
struct NormMax : Difference<L> {
  using typename Difference<L>::V;
  using typename Difference<L>::S;
  using typename Difference<L>::Number;
  using Difference<L>::Difference;
  V most;

  Number measure(const S* x, const S* y, int64_t dim) {
    const Number d =
        dim == 0 ? Number(0) : L::max(dim, this->of_diff(x, y, [](V e) { return e.abs(); }));
    most = L::spread(d);
    const Number ties =
        L::sum(dim, this->of_diff(x, y, [=](V e) { return select(is_most(e.abs()), V(1), V(0)); }));
    this->factor = L::spread(Number(1) / ties);
    return d;
  }
  V is_most(V size) const {
    return (size == most) | (size != size);
  }
  Slopes<V> slopes(V x, V y) const {
    const V e = this->diff(x, y);
    return this->opposite(sign(e) * select(is_most(e.abs()), this->factor, V(0)));
  }
};

template <class L>
struct NormP : Difference<L> {
  using typename Difference<L>::V;
  using typename Difference<L>::S;
  using typename Difference<L>::Number;
  double p;

  explicit NormP(const RowDistance& a) : Difference<L>(a), p(a.p) {}

  Number measure(const S* x, const S* y, int64_t dim) {
    const Number d =
        power(L::sum(dim, this->of_diff(x, y, [=](V e) { return power(e.abs(), p); })), 1 / p);
    this->factor = L::spread(select(d == Number(0), Number(0), power(d, 1 - p)));
    return d;
  }
  Slopes<V> slopes(V x, V y) const {
    const V e = this->diff(x, y), size = e.abs();
    // |e|^(p-1) is infinite at 0 for p < 1; the gradient there is 0.
    const V slope = select(size == V(0), V(0), power(size, p - 1));
    return this->opposite(sign(e) * slope * this->factor);
  }
};

/// What the metrics below have in common.
template <class L>
struct Metric {
  using Lanes = L;
  using V = typename L::V;
  using S = typename L::Element;
  using Number = typename L::Number;

  explicit Metric(const RowDistance&) {}
};

/// sum (x - y)^2.
template <class L>
struct Squared : Metric<L> {
  using typename Metric<L>::V;
  using typename Metric<L>::S;
  using Metric<L>::Metric;

  auto measure(const S* x, const S* y, int64_t dim) {
    return L::sum(dim, [&](int64_t j, int64_t n) {
      const V e = load(x + j, n) - load(y + j, n);
      return e * e;
    });
  }
  Slopes<V> slopes(V x, V y) const {
    const V e = x - y;
    return {e + e, (e + e).neg()};
  }
};

/// -x.y / (|x| |y|), each norm at least 1e-12.
template <class L>
struct Cosine : Metric<L> {
  using typename Metric<L>::V;
  using typename Metric<L>::S;
  using typename Metric<L>::Number;
  using Metric<L>::Metric;
  V inv_x, inv_y, along_x, along_y;

  static Number norm(const S* x, int64_t dim) {
    return root(L::sum(dim, [&](int64_t j, int64_t n) {
      const V v = load(x + j, n);
      return v * v;
    }));
  }
  Number measure(const S* x, const S* y, int64_t dim) {
    const Number nx = norm(x, dim), ny = norm(y, dim), least(1e-12), none(0);
    inv_x = L::spread(Number(1) / select(nx < least, least, nx));
    inv_y = L::spread(Number(1) / select(ny < least, least, ny));
    const Number s = L::sum(dim, [&](int64_t j, int64_t n) {
      return (load(x + j, n) * inv_x) * (load(y + j, n) * inv_y);
    });
    // A clamped norm is a constant: nothing is taken off along x.
    along_x = L::spread(select(nx < least, none, s));
    along_y = L::spread(select(ny < least, none, s));
    return none - s;
  }
  Slopes<V> slopes(V x, V y) const {
    const V u = x * inv_x, v = y * inv_y;
    return {(u * along_x - v) * inv_x, (v * along_y - u) * inv_y};
  }
};

/// -x.y
template <class L>
struct Dot : Metric<L> {
  using typename Metric<L>::V;
  using typename Metric<L>::S;
  using typename Metric<L>::Number;
  using Metric<L>::Metric;

  Number measure(const S* x, const S* y, int64_t dim) {
    return Number(0) -
           L::sum(dim, [&](int64_t j, int64_t n) { return load(x + j, n) * load(y + j, n); });
  }
  Slopes<V> slopes(V x, V y) const {
    return {y.neg(), x.neg()};
  }
};

/// var(x - y) / var(x), both unbiased.
template <class L>
struct Snr : Metric<L> {
  using typename Metric<L>::V;
  using typename Metric<L>::S;
  using typename Metric<L>::Number;
  using Metric<L>::Metric;
  V mean_e, mean_x, per_e, per_x;

  Number measure(const S* x, const S* y, int64_t dim) {
    const auto e = [&](int64_t j, int64_t n) { return load(x + j, n) - load(y + j, n); };
    const Number count(static_cast<double>(dim));
    mean_e = L::spread(L::sum(dim, e) / count);
    mean_x = L::spread(L::sum(dim, [&](int64_t j, int64_t n) { return load(x + j, n); }) / count);
    const Number ve = L::sum(dim, [&](int64_t j, int64_t n) {
      const V v = e(j, n) - mean_e;
      return v * v;
    });
    const Number vx = L::sum(dim, [&](int64_t j, int64_t n) {
      const V v = load(x + j, n) - mean_x;
      return v * v;
    });
    // The factor 1 / (dim - 1) of both cancels, but for its 0 / 0.
    const Number d = dim > 1 ? ve / vx : Number(std::numeric_limits<double>::quiet_NaN());
    per_e = L::spread(Number(2) / vx);
    per_x = L::spread(Number(2) * d / vx);
    return d;
  }
  Slopes<V> slopes(V x, V y) const {
    const V e = (x - y - mean_e) * per_e;
    return {e - (x - mean_x) * per_x, e.neg()};
  }
};

/// Runs `body(first, count, in, out)` over as many rows as there are lanes for, in blocks whose
/// memory is packed, and sums what it returns.
template <class L, int Roles, class Body>
double over_rows(const RowDistance& a, const Body& body) {
  using S = typename L::Element;
  // Fixed chunks: the same partial sums for any number of threads.
  constexpr int64_t block = L::kBlock;
  const int64_t chunk = std::max<int64_t>(1, 16384 / std::max<int64_t>(a.dim, 1) / block) * block;
  const int64_t chunks = (a.rows + chunk - 1) / chunk;
  std::vector<double> partial(chunks);
  bool packs = false;
  for (int k = 0; k < Roles; ++k) {
    packs =
        packs || L::packs(a.in[k].col) || (a.grad[k].data != nullptr && L::packs(a.grad[k].col));
  }
  at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
    // Few rows may be long.
    const int64_t room_of_role = (L::kRows == 1 ? std::min(block, a.rows) : block) * a.dim;
    const Scratch<S> scratch(packs ? 2 * Roles * room_of_role : 0);
    for (int64_t c = begin; c < end; ++c) {
      const int64_t stop = std::min(a.rows, (c + 1) * chunk);
      for (int64_t i = c * chunk; i < stop; i += block) {
        const int64_t count = std::min(block, stop - i);
        const S* in[Roles];
        S* out[Roles];
        S* made[Roles];
        int64_t in_step[Roles], out_step[Roles] = {};
        S* room = scratch.data();
        for (int k = 0; k < Roles; ++k) {
          in[k] = L::load(a, a.in[k], i, count, room + k * room_of_role, in_step[k]);
          out[k] = made[k] =
              L::to_write(a, a.grad[k], i, room + (Roles + k) * room_of_role, out_step[k]);
        }
        for (int64_t r = 0; r < count; r += L::kRows) {
          partial[c] += body(i + r, std::min(L::kRows, count - r), in, out);
          for (int k = 0; k < Roles; ++k) {
            in[k] += L::kRows * in_step[k];
            if (out[k] != nullptr) {
              out[k] += L::kRows * out_step[k];
            }
          }
        }
        for (int k = 0; k < Roles; ++k) {
          if (made[k] != nullptr) {
            L::store(a, a.grad[k], i, count, made[k]);
          }
        }
      }
    }
  });
  double sum = 0;
  for (const double v : partial) {
    sum += v;
  }
  return sum;
}

/// The factor of the gradients of a row.
template <class L>
typename L::Number upstream_of(const RowDistance& a, int64_t row, int64_t count) {
  const typename L::Number scale(a.scale);
  return a.upstream == nullptr ? scale : scale * L::read(a, a.upstream, row, count);
}

/// l = relu or clamp_min of margin + d(a, p) - d(a, n), by the clamp's rule.
template <class M>
void triplet_rows(RowDistance& a) {
  using L = typename M::Lanes;
  using V = typename M::V;
  using S = typename M::S;
  using Number = typename M::Number;
  const bool wants =
      a.grad[0].data != nullptr || a.grad[1].data != nullptr || a.grad[2].data != nullptr;
  a.sum = over_rows<L, 3>(a, [&](int64_t row, int64_t count, const S* const* in, S* const* out) {
    const Number zero(0), half(0.5), one(1);
    M near(a), far(a), other(a);
    const Number dp = near.measure(in[0], in[1], a.dim), dn = far.measure(in[0], in[2], a.dim);
    Number least = dn, share_far = one, share_other = zero;
    if (a.swap) {  // torch's minimum: the gradient is halved at a tie, and NaN gets it whole
      const Number ds = other.measure(in[1], in[2], a.dim);
      least = select((ds < dn) | (ds != ds), ds, dn);
      share_far = select(dn == ds, half, select(dn > ds, zero, one));
      share_other = select(dn == ds, half, select(ds > dn, zero, one));
    }
    const Number raw = Number(a.margin) + (dp - least);
    const Number l = select(raw < zero, zero, raw);
    if (a.l != nullptr) {
      L::write(a, l, a.l, row, count);
    }
    const double sum = L::total(l, count);
    if (!wants) {
      return sum;
    }
    if constexpr (L::kRows == 1) {
      // Where the clamp cuts off the gradient is zero, unless there is infinity or NaN to meet it.
      if (raw < 0 && std::isfinite(raw)) {
        for (int k = 0; k < 3; ++k) {
          if (out[k] != nullptr) {
            std::fill_n(out[k], a.dim, S(0));
          }
        }
        return sum;
      }
    }
    const Number g = select(raw >= zero, upstream_of<L>(a, row, count), zero);
    const V vg = L::spread(g), vfar = L::spread(g * share_far), vother = L::spread(g * share_other);
    L::each(a.dim, [&](int64_t j, int64_t n) {
      const V va = load(in[0] + j, n), vp = load(in[1] + j, n), vn = load(in[2] + j, n);
      const Slopes<V> ap = near.slopes(va, vp), an = far.slopes(va, vn);
      V dp = vg * ap.dy, dn = vfar * an.dy;
      if (a.swap) {
        const Slopes<V> pn = other.slopes(vp, vn);
        dp = dp - vother * pn.dx;
        dn = dn + vother * pn.dy;
      }
      if (out[0] != nullptr) {
        (vg * ap.dx - vfar * an.dx).store(out[0] + j, n);
      }
      if (out[1] != nullptr) {
        dp.store(out[1] + j, n);
      }
      if (out[2] != nullptr) {
        dn.neg().store(out[2] + j, n);
      }
    });
    return sum;
  });
}

/// l = factor (s d^2 + (1 - s) relu(margin - d)^2), s = 1 if similar: sums, as 0 times infinity is
/// NaN.
template <class M>
void contrastive_rows(RowDistance& a) {
  using L = typename M::Lanes;
  using V = typename M::V;
  using S = typename M::S;
  using Number = typename M::Number;
  const bool wants = a.grad[0].data != nullptr || a.grad[1].data != nullptr;
  a.sum = over_rows<L, 2>(a, [&](int64_t row, int64_t count, const S* const* in, S* const* out) {
    const Number zero(0), one(1), factor(a.factor);
    M pair(a);
    const Number d = pair.measure(in[0], in[1], a.dim);
    const Number target = L::read(a, a.target, row, count);
    const Number same = select(target == Number(a.similar_label), one, zero), other = one - same;
    const Number gap = Number(a.margin) - d, rest = select(gap < zero, zero, gap);
    const Number l = factor * (same * (d * d) + other * (rest * rest));
    if (a.l != nullptr) {
      L::write(a, l, a.l, row, count);
    }
    if (wants) {
      const Number by_d = factor * Number(2) * (same * d - other * rest);
      const V g = L::spread(upstream_of<L>(a, row, count) * by_d);
      L::each(a.dim, [&](int64_t j, int64_t n) {
        const V v = g * pair.slopes(load(in[0] + j, n), load(in[1] + j, n)).dx;
        if (out[0] != nullptr) {
          v.store(out[0] + j, n);
        }
        if (out[1] != nullptr) {
          v.neg().store(out[1] + j, n);
        }
      });
    }
    return L::total(l, count);
  });
}

/// Calls f with the metric for the p of a norm.
template <class L, class F>
void by_norm(const RowDistance& a, const F& f) {
  if (a.p == 2) {
    f(Norm2<L>(a));
  } else if (a.p == 1) {
    f(Norm1<L>(a));
  } else if (a.p == std::numeric_limits<double>::infinity()) {
    f(NormMax<L>(a));
  } else {
    f(NormP<L>(a));
  }
}

/// As above, for any distance.
template <class L, class F>
void by_distance(const RowDistance& a, const F& f) {
  switch (a.distance) {
    case 0:
      return by_norm<L>(a, f);
    case 1:
      return f(Squared<L>(a));
    case 2:
      return f(Cosine<L>(a));
    case 3:
      return f(Dot<L>(a));
    default:
      return f(Snr<L>(a));
  }
}

/// Calls f with the lanes for the length of the rows.
template <class F>
void by_length(const RowDistance& a, const F& f) {
  if (a.dim < 16) {
    f(AcrossRows());
  } else if (a.is_double) {
    f(AlongRow<double>());
  } else {
    f(AlongRow<float>());
  }
}

inline void triplet_loop(RowDistance& a) {
  by_length(a, [&](auto lanes) {
    by_distance<decltype(lanes)>(a, [&](auto metric) { triplet_rows<decltype(metric)>(a); });
  });
}

/// The first label that is neither 0 nor 1, or -1.
template <class T>
int64_t bad_label(const T* labels, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if ((labels[i] != 0) & (labels[i] != 1)) {  // not &&: labels are hard to predict
      return i;
    }
  }
  return -1;
}

inline void contrastive_loop(RowDistance& a) {
  a.bad_row = a.is_double ? bad_label(static_cast<const double*>(a.target), a.rows)
                          : bad_label(static_cast<const float*>(a.target), a.rows);
  if (a.bad_row >= 0) {
    return;
  }
  by_length(a, [&](auto lanes) {
    by_norm<decltype(lanes)>(a, [&](auto metric) { contrastive_rows<decltype(metric)>(a); });
  });
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
