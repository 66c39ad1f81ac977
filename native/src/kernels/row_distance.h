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

// A metric measures one pair of rows and then yields dd/dx and dd/dy by elements. Similarities
// count as distances with the sign turned. Distances stay in double until a loss has taken their
// differences, in which the rounding of each would be all that is left.

/// Distances of the difference alone: dd/dy = -dd/dx.
template <class T>
struct Difference {
  using V = at::vec::Vectorized<T>;
  T eps = 0;
  V factor;

  explicit Difference(const RowDistance& a) : eps(static_cast<T>(a.eps)) {}

  V diff(V x, V y) const {
    return x - y + V(eps);
  }
};

/// (sum |x - y + eps|^p)^(1/p); the gradient is 0 at 0, as torch's norm has it.
template <class T>
struct Norm1 : Difference<T> {
  using V = at::vec::Vectorized<T>;
  using Difference<T>::Difference;

  double measure(const T* x, const T* y, int64_t dim) {
    return sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      return this->diff(load(x + j, n), load(y + j, n)).abs();
    });
  }
  V dx(V x, V y) const {
    return sign(this->diff(x, y));
  }
  V dy(V x, V y) const {
    return dx(x, y).neg();
  }
};

template <class T>
struct Norm2 : Difference<T> {
  using V = at::vec::Vectorized<T>;
  using Difference<T>::Difference;

  double measure(const T* x, const T* y, int64_t dim) {
    const double d = std::sqrt(sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      const V e = this->diff(load(x + j, n), load(y + j, n));
      return e * e;
    }));
    this->factor = V(static_cast<T>(d == 0 ? 0 : 1 / d));
    return d;
  }
  V dx(V x, V y) const {
    return this->diff(x, y) * this->factor;
  }
  V dy(V x, V y) const {
    return dx(x, y).neg();
  }
};

template <class T>
struct NormMax : Difference<T> {
  using V = at::vec::Vectorized<T>;
  using Difference<T>::Difference;
  V most;

  double measure(const T* x, const T* y, int64_t dim) {
    const auto size = [&](int64_t j, int64_t n) {
      return this->diff(load(x + j, n), load(y + j, n)).abs();
    };
    const T d = dim == 0 ? T(0) : max_vectors<T>(dim, size);
    most = V(d);
    const double ties = sum_vectors<T>(
        dim, [&](int64_t j, int64_t n) { return V::blendv(V(0), V(1), is_most(size(j, n))); });
    this->factor = V(static_cast<T>(1 / ties));
    return d;
  }
  V is_most(V size) const {
    return (size == most) | (size != size);
  }
  V dx(V x, V y) const {
    const V e = this->diff(x, y);
    return sign(e) * V::blendv(V(0), this->factor, is_most(e.abs()));
  }
  V dy(V x, V y) const {
    return dx(x, y).neg();
  }
};

template <class T>
struct NormP : Difference<T> {
  using V = at::vec::Vectorized<T>;
  T p;

  explicit NormP(const RowDistance& a) : Difference<T>(a), p(static_cast<T>(a.p)) {}

  double measure(const T* x, const T* y, int64_t dim) {
    const double sum = sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      return this->diff(load(x + j, n), load(y + j, n)).abs().pow(V(p));
    });
    const double d = std::pow(sum, 1.0 / p);
    this->factor = V(static_cast<T>(d == 0 ? 0 : std::pow(d, 1.0 - p)));
    return d;
  }
  V dx(V x, V y) const {
    const V e = this->diff(x, y);
    const V size = e.abs();
    // |e|^(p-1) is infinite at 0 for p < 1; the gradient there is 0.
    const V slope = V::blendv(size.pow(V(p - 1)), V(0), size == V(0));
    return sign(e) * slope * this->factor;
  }
  V dy(V x, V y) const {
    return dx(x, y).neg();
  }
};

/// sum (x - y)^2.
template <class T>
struct Squared {
  using V = at::vec::Vectorized<T>;

  explicit Squared(const RowDistance&) {}

  double measure(const T* x, const T* y, int64_t dim) {
    return sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      const V e = load(x + j, n) - load(y + j, n);
      return e * e;
    });
  }
  V dx(V x, V y) const {
    const V e = x - y;
    return e + e;
  }
  V dy(V x, V y) const {
    return dx(y, x);
  }
};

/// -x.y / (|x| |y|), each norm at least 1e-12.
template <class T>
struct Cosine {
  using V = at::vec::Vectorized<T>;
  V inv_x, inv_y, along_x, along_y, similarity;

  explicit Cosine(const RowDistance&) {}

  static T norm(const T* x, int64_t dim) {
    return static_cast<T>(std::sqrt(sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      const V v = load(x + j, n);
      return v * v;
    })));
  }
  double measure(const T* x, const T* y, int64_t dim) {
    const T nx = norm(x, dim), ny = norm(y, dim), least = T(1e-12);
    inv_x = V(1 / (nx < least ? least : nx));
    inv_y = V(1 / (ny < least ? least : ny));
    const double s = sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      return (load(x + j, n) * inv_x) * (load(y + j, n) * inv_y);
    });
    // A clamped norm is a constant: nothing is taken off along x.
    along_x = V(nx < least ? T(0) : static_cast<T>(s));
    along_y = V(ny < least ? T(0) : static_cast<T>(s));
    return -s;
  }
  V dx(V x, V y) const {
    return (x * inv_x * along_x - y * inv_y) * inv_x;
  }
  V dy(V x, V y) const {
    return (y * inv_y * along_y - x * inv_x) * inv_y;
  }
};

/// -x.y
template <class T>
struct Dot {
  using V = at::vec::Vectorized<T>;

  explicit Dot(const RowDistance&) {}

  double measure(const T* x, const T* y, int64_t dim) {
    return -sum_vectors<T>(dim,
                           [&](int64_t j, int64_t n) { return load(x + j, n) * load(y + j, n); });
  }
  V dx(V, V y) const {
    return y.neg();
  }
  V dy(V x, V) const {
    return x.neg();
  }
};

/// var(x - y) / var(x), both unbiased.
template <class T>
struct Snr {
  using V = at::vec::Vectorized<T>;
  V mean_e, mean_x, per_e, per_x;

  explicit Snr(const RowDistance&) {}

  double measure(const T* x, const T* y, int64_t dim) {
    const auto e = [&](int64_t j, int64_t n) { return load(x + j, n) - load(y + j, n); };
    mean_e = V(static_cast<T>(sum_vectors<T>(dim, e) / dim));
    mean_x = V(static_cast<T>(
        sum_vectors<T>(dim, [&](int64_t j, int64_t n) { return load(x + j, n); }) / dim));
    const double ve = sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      const V v = e(j, n) - mean_e;
      return v * v;
    });
    const double vx = sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
      const V v = load(x + j, n) - mean_x;
      return v * v;
    });
    // The factor 1 / (dim - 1) of both cancels, but for its 0 / 0.
    const double d = dim > 1 ? ve / vx : std::numeric_limits<double>::quiet_NaN();
    per_e = V(static_cast<T>(2 / vx));
    per_x = V(static_cast<T>(2 * d / vx));
    return d;
  }
  V dx(V x, V y) const {
    return (x - y - mean_e) * per_e - (x - mean_x) * per_x;
  }
  V dy(V x, V y) const {
    return (mean_e - (x - y)) * per_e;
  }
};

/// Runs `body(first, count, in, in strides, out, out strides)` over blocks of rows whose memory is
/// packed, and sums what it returns.
template <class T, int Roles, class Body>
double over_row_blocks(const RowDistance& a, const Body& body) {
  // Fixed chunks: the same partial sums for any number of threads.
  const int64_t block = 16;
  const int64_t chunk = std::max<int64_t>(1, 16384 / std::max<int64_t>(a.dim, 1) / block) * block;
  const int64_t chunks = (a.rows + chunk - 1) / chunk;
  std::vector<double> partial(chunks);
  bool packs = false;
  for (int k = 0; k < Roles; ++k) {
    packs = packs || a.in[k].col != 1 || (a.grad[k].data != nullptr && a.grad[k].col != 1);
  }
  at::parallel_for(0, chunks, 1, [&](int64_t begin, int64_t end) {
    const Scratch<T> scratch(packs ? 2 * Roles * block * a.dim : 0);
    for (int64_t c = begin; c < end; ++c) {
      const int64_t stop = std::min(a.rows, (c + 1) * chunk);
      for (int64_t i = c * chunk; i < stop; i += block) {
        const int64_t count = std::min(block, stop - i);
        const T* in[Roles];
        T* out[Roles];
        int64_t in_stride[Roles], out_stride[Roles] = {};
        T* room = scratch.data();
        for (int k = 0; k < Roles; ++k) {
          if (a.in[k].col == 1) {
            in[k] = static_cast<const T*>(a.in[k].data) + i * a.in[k].row;
            in_stride[k] = a.in[k].row;
          } else {
            in[k] = load_rows<T>(a.in[k], i, count, a.dim, nullptr, room + k * block * a.dim,
                                 in_stride[k]);
          }
          out[k] = rows_to_write<T>(a.grad[k], i, a.dim, room + (Roles + k) * block * a.dim,
                                    out_stride[k]);
        }
        for (int64_t r = 0; r < count; ++r) {
          partial[c] += body(i + r, in, out);
          for (int k = 0; k < Roles; ++k) {
            in[k] += in_stride[k];
            if (out[k] != nullptr) {
              out[k] += out_stride[k];
            }
          }
        }
        for (int k = 0; k < Roles; ++k) {
          if (out[k] != nullptr) {
            store_rows<T>(a.grad[k], i, count, a.dim, out[k] - count * out_stride[k]);
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

/// l = relu or clamp_min of margin + d(a, p) - d(a, n), by the clamp's rule.
template <class T, class M>
void triplet_rows(RowDistance& a) {
  using V = at::vec::Vectorized<T>;
  const bool wants =
      a.grad[0].data != nullptr || a.grad[1].data != nullptr || a.grad[2].data != nullptr;
  a.sum = over_row_blocks<T, 3>(a, [&](int64_t row, const T* const* in, T* const* out) -> double {
    M near(a), far(a), other(a);
    const double dp = near.measure(in[0], in[1], a.dim), dn = far.measure(in[0], in[2], a.dim);
    double least = dn;
    T share_far = 1, share_other = 0;
    if (a.swap) {  // torch's minimum: the gradient is halved at a tie, and NaN gets it whole
      const double ds = other.measure(in[1], in[2], a.dim);
      least = ds < dn || ds != ds ? ds : dn;
      share_far = dn == ds ? T(0.5) : dn > ds ? T(0) : T(1);
      share_other = dn == ds ? T(0.5) : ds > dn ? T(0) : T(1);
    }
    const double raw = a.margin + (dp - least);
    const double l = raw < 0 ? 0 : raw;
    if (a.l != nullptr) {
      static_cast<T*>(a.l)[row] = static_cast<T>(l);
    }
    if (!wants) {
      return l;
    }
    const bool passes = raw >= 0;
    // Where the clamp cuts off the gradient is zero, unless there is infinity or NaN to meet it.
    if (!passes && std::isfinite(raw)) {
      for (int k = 0; k < 3; ++k) {
        if (out[k] != nullptr) {
          std::fill_n(out[k], a.dim, T(0));
        }
      }
      return l;
    }
    const T g = passes ? static_cast<T>(gradient_factor<T>(a, row)) : T(0);
    const V vg(g), vfar(g * share_far), vother(g * share_other);
    for_vectors<T>(a.dim, [&](int64_t j, int64_t n) {
      const V va = load(in[0] + j, n), vp = load(in[1] + j, n), vn = load(in[2] + j, n);
      if (out[0] != nullptr) {
        (vg * near.dx(va, vp) - vfar * far.dx(va, vn)).store(out[0] + j, n);
      }
      if (out[1] != nullptr) {
        V d = vg * near.dy(va, vp);
        if (a.swap) {
          d = d - vother * other.dx(vp, vn);
        }
        d.store(out[1] + j, n);
      }
      if (out[2] != nullptr) {
        V d = vfar * far.dy(va, vn);
        if (a.swap) {
          d = d + vother * other.dy(vp, vn);
        }
        d.neg().store(out[2] + j, n);
      }
    });
    return l;
  });
}

/// l = factor (s d^2 + (1 - s) relu(margin - d)^2), s = 1 if similar: sums, as 0 times infinity is
/// NaN.
template <class T, class M>
void contrastive_rows(RowDistance& a) {
  using V = at::vec::Vectorized<T>;
  const bool wants = a.grad[0].data != nullptr || a.grad[1].data != nullptr;
  const T similar = static_cast<T>(a.similar_label);
  const T* target = static_cast<const T*>(a.target);
  for (int64_t i = 0; i < a.rows; ++i) {
    if (target[i] != 0 && target[i] != 1) {
      a.bad_row = i;
      return;
    }
  }
  a.sum = over_row_blocks<T, 2>(a, [&](int64_t row, const T* const* in, T* const* out) -> double {
    M metric(a);
    const double d = metric.measure(in[0], in[1], a.dim);
    const double same = target[row] == similar ? 1 : 0, other = 1 - same;
    const double gap = a.margin - d, rest = gap < 0 ? 0 : gap;
    const double l = a.factor * (same * (d * d) + other * (rest * rest));
    if (a.l != nullptr) {
      static_cast<T*>(a.l)[row] = static_cast<T>(l);
    }
    if (wants) {
      const V g(
          static_cast<T>(gradient_factor<T>(a, row) * a.factor * 2 * (same * d - other * rest)));
      for_vectors<T>(a.dim, [&](int64_t j, int64_t n) {
        const V v = g * metric.dx(load(in[0] + j, n), load(in[1] + j, n));
        if (out[0] != nullptr) {
          v.store(out[0] + j, n);
        }
        if (out[1] != nullptr) {
          v.neg().store(out[1] + j, n);
        }
      });
    }
    return l;
  });
}

/// Calls LOOP<T, metric> for the p of a norm.
template <class T, template <class, class> class Loop>
void by_norm(RowDistance& a) {
  if (a.p == 2) {
    Loop<T, Norm2<T>>()(a);
  } else if (a.p == 1) {
    Loop<T, Norm1<T>>()(a);
  } else if (a.p == std::numeric_limits<double>::infinity()) {
    Loop<T, NormMax<T>>()(a);
  } else {
    Loop<T, NormP<T>>()(a);
  }
}

/// As above, for any distance.
template <class T, template <class, class> class Loop>
void by_distance(RowDistance& a) {
  switch (a.distance) {
    case 0:
      return by_norm<T, Loop>(a);
    case 1:
      return Loop<T, Squared<T>>()(a);
    case 2:
      return Loop<T, Cosine<T>>()(a);
    case 3:
      return Loop<T, Dot<T>>()(a);
    default:
      return Loop<T, Snr<T>>()(a);
  }
}

template <class T, class M>
struct TripletLoop {
  void operator()(RowDistance& a) const {
    triplet_rows<T, M>(a);
  }
};

template <class T, class M>
struct ContrastiveLoop {
  void operator()(RowDistance& a) const {
    contrastive_rows<T, M>(a);
  }
};

inline void triplet_loop(RowDistance& a) {
  a.is_double ? by_distance<double, TripletLoop>(a) : by_distance<float, TripletLoop>(a);
}

inline void contrastive_loop(RowDistance& a) {
  a.is_double ? by_norm<double, ContrastiveLoop>(a) : by_norm<float, ContrastiveLoop>(a);
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
