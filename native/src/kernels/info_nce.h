// InfoNCE over the pairwise walk: a positive logit and a row of negative logits each.
#pragma once

#include "kernels/pairwise.h"

namespace jloss {

/// What the kernels read and write. Logits are inner products times `scale`, of rows divided by
/// their norms where `normalize` says so.
struct InfoNce {
  bool is_double = false;
  bool normalize = false;
  int64_t n = 0;
  int64_t k = 0;  // negatives of a row; in a batch those of all rows, and the diagonal positive
  int64_t dim = 0;
  double scale = 1;
  double mean = 1;                 // a factor of the gradients
  const void* upstream = nullptr;  // another a row
  Rows q;
  Rows p;
  Rows c;  // shared negatives; undefined in a batch
  bool in_batch = false;
  bool own = false;        // c holds n times k rows, k of each row
  int64_t own_stride = 0;  // from one row's negatives to the next's
  // Out:
  void* l = nullptr;
  RowsOut dq;
  RowsOut dp;
  RowsOut dc;
  int64_t own_out = 0;
  double sum = 0;
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// exp(s - shift) in place of s where it is stored; returns the sum.
template <class T>
double exp_line(T* s, int64_t count, T shift, bool stored) {
  using V = at::vec::Vectorized<T>;
  const V by(shift);
  return sum_vectors<T>(count, [&](int64_t j, int64_t n) {
    const V e = (load(s + j, n) - by).exp();
    if (stored) {
      e.store(s + j, n);
    }
    return e;
  });
}

template <class T>
void scale_line(T* x, int64_t count, T factor) {
  using V = at::vec::Vectorized<T>;
  for_vectors<T>(count,
                 [&](int64_t j, int64_t n) { (load(x + j, n) * V(factor)).store(x + j, n); });
}

/// to += factor x
template <class T>
void add_line(T* to, const T* x, int64_t count, T factor) {
  using V = at::vec::Vectorized<T>;
  for_vectors<T>(count, [&](int64_t j, int64_t n) {
    at::vec::fmadd(V(factor), load(x + j, n), load(to + j, n)).store(to + j, n);
  });
}

/// The running softmax over the negatives of every row, one part for each chunk of columns:
/// sum exp(s - most), and the rows of y weighted so.
template <class T>
struct Softmax {
  std::vector<T> most;
  std::vector<double> sum;

  explicit Softmax(int64_t count)
      : most(count, -std::numeric_limits<T>::infinity()), sum(count, 0.0) {}

  /// What exponents are taken against: of a row of -inf alone, 0.
  static T shift(T most) {
    return most == -std::numeric_limits<T>::infinity() ? T(0) : most;
  }

  /// Takes a line of logits in at place i and turns it into weights; weighted (may be null) is
  /// scaled to the new maximum.
  void take(int64_t i, T* line, int64_t count, bool stored, T* weighted, int64_t dim) {
    const T before = most[i];
    const T seen = max_vectors<T>(count, [&](int64_t j, int64_t n) { return load(line + j, n); });
    const T now = seen > before || seen != seen ? seen : before;
    const double total = exp_line(line, count, shift(now), stored);
    if (now == before) {
      sum[i] += total;
      return;
    }
    const double decay = std::exp(static_cast<double>(before) - static_cast<double>(shift(now)));
    most[i] = now;
    sum[i] = sum[i] * decay + total;
    if (weighted != nullptr && dim > 0) {
      scale_line(weighted, dim, static_cast<T>(decay));
    }
  }
};

/// A row's loss and what its gradients are made of.
template <class T>
struct RowResult {
  double l;
  double negatives;  // weight of exp(s - most) of its negatives, times upstream
  double positive;   // that of the positive: minus the probability of all negatives
};

template <class T>
RowResult<T> finish_row(T positive, T most, double sum, double upstream) {
  // Against the larger of the two; the positive's own probability is never subtracted from 1.
  const double p = positive, m = Softmax<T>::shift(most);
  const double top = p > m || sum == 0 || p != p ? p : m;
  const double ep = std::exp(p - top), factor = sum == 0 ? 0 : std::exp(m - top);
  const double en = sum == 0 ? 0 : sum * factor;
  return {ep == 1 ? std::log1p(en) : std::log(ep + en) - (p - top), upstream * factor / (ep + en),
          -upstream * (en / (ep + en))};
}

template <class T>
double upstream_of(const InfoNce& a, int64_t row) {
  return a.mean * (a.upstream == nullptr ? 1.0 : static_cast<const T*>(a.upstream)[row]);
}

/// Ends the gradients of columns: those of normalised rows become those of the rows themselves.
template <class T>
void finish_columns(const InfoNce& a, const RowsOut& out, const Rows& c, const T* factors,
                    int64_t col, int64_t cols, T* sums, int64_t stride) {
  if (factors != nullptr) {
    const Scratch<T> ys(a.dim);
    for (int64_t r = 0; r < cols; ++r) {
      int64_t unused = 0;
      const T* y = load_rows<T>(c, col + r, 1, a.dim, factors, ys.data(), unused);
      unnormalise(sums + r * stride, y, factors[col + r], a.dim);
    }
  }
  store_rows<T>(out, col, cols, a.dim, sums);
}

/// The gradients of columns from a kept panel of weights.
template <class T>
void columns_of_panel(const InfoNce& a, const Pairs& pairs, const RowsOut& out, const T* panel,
                      const Rows& c, const T* x_factors, const T* y_factors) {
  int64_t xstride = 0;
  const Scratch<T> xs(a.n * a.dim);
  const T* x = load_rows<T>(pairs.x, 0, a.n, a.dim, x_factors, xs.data(), xstride);
  const int64_t block = 64;
  at::parallel_for(0, (a.k + block - 1) / block, 1, [&](int64_t begin, int64_t end) {
    const Scratch<T> room(out.col == 1 ? 0 : block * a.dim);
    for (int64_t b = begin; b < end; ++b) {
      const int64_t col = b * block, cols = std::min(block, a.k - col);
      int64_t stride = 0;
      T* sums = rows_to_write<T>(out, col, a.dim, room.data(), stride);
      if (a.n == 0) {
        for (int64_t r = 0; r < cols; ++r) {
          std::fill_n(sums + r * stride, a.dim, T(0));
        }
      } else {
        product_tn({panel + col, a.n, cols, a.k}, {x, a.n, a.dim, xstride},
                   Matrix<T>{sums, cols, a.dim, stride}, false);
      }
      finish_columns(a, out, c, y_factors, col, cols, sums, stride);
    }
  });
}

/// In a batch, or with shared negatives.
template <class T>
void info_nce_shared(InfoNce& a) {
  const bool batch = a.in_batch;
  const Rows c = batch ? a.p : a.c;
  const RowsOut dc = batch ? a.dp : a.dc;
  const bool wants_rows = a.dq.data != nullptr || (!batch && a.dp.data != nullptr);

  std::vector<T> fq, fp, fc;
  if (a.normalize) {
    fq.resize(a.n);
    fp.resize(a.n);
    inverse_norms(a.q, a.n, a.dim, fq.data());
    inverse_norms(a.p, a.n, a.dim, fp.data());
    if (!batch) {
      fc.resize(a.k);
      inverse_norms(a.c, a.k, a.dim, fc.data());
    }
  }
  const auto factors = [&](const std::vector<T>& f) { return a.normalize ? f.data() : nullptr; };
  Pairs pairs;
  pairs.rows = a.n;
  pairs.cols = a.k;
  pairs.dim = a.dim;
  pairs.x = a.q;
  pairs.y = c;
  pairs.x_factors = factors(fq);
  pairs.y_factors = factors(batch ? fp : fc);
  pairs.alpha = a.scale;

  const bool keeps = pairs.small() && dc.data != nullptr;
  const Scratch<T> panel(keeps ? a.n * a.k : 0);
  pairs.panel = keeps ? panel.data() : nullptr;

  // First walk: the softmax of every row, and with it the sum of its negatives by weight.
  const int64_t chunks = pairs.chunks();
  Softmax<T> softmax(a.n * chunks);
  std::vector<T> positive(a.n);
  const Scratch<T> weighted(a.dq.data != nullptr ? chunks * a.n * a.dim : 0);
  const auto weighted_at = [&](int64_t row, int64_t chunk) {
    return a.dq.data != nullptr ? weighted.data() + (chunk * a.n + row) * a.dim : nullptr;
  };
  struct RowVisit {
    const InfoNce& a;
    Softmax<T>& softmax;
    std::vector<T>& positive;
    T* weighted;
    bool stored;  // weights are wanted, not only their sum
    int64_t place;
    bool first = true;

    void operator()(const Tile<T>& t) {
      for (int64_t r = 0; r < t.rows; ++r) {
        const int64_t own = t.row + r - t.col;
        if (a.in_batch && own >= 0 && own < t.cols) {
          positive[t.row + r] = t.line(r)[own];
          t.line(r)[own] = -std::numeric_limits<T>::infinity();
        }
        T* sums = weighted == nullptr ? nullptr : weighted + r * a.dim;
        softmax.take(place + r, t.line(r), t.cols, stored, sums, first ? 0 : a.dim);
      }
      if (weighted != nullptr) {
        product_nn(t.weights(), t.y, {weighted, t.rows, a.dim, a.dim}, !first);
      }
      first = false;
    }
    void end() {}
  };
  walk_rows<T>(pairs, [&](int64_t row, int64_t, int64_t chunk) {
    return RowVisit{a,
                    softmax,
                    positive,
                    weighted_at(row, chunk),
                    keeps || a.dq.data != nullptr,
                    chunk * a.n + row};
  });

  // Rows: chunks joined, losses, weights, gradients of query and of a positive of its own.
  std::vector<double> losses(a.n);
  std::vector<T> negative_weight(a.n), positive_weight(a.n), most(a.n);
  const int64_t block = 64;
  at::parallel_for(0, (a.n + block - 1) / block, 1, [&](int64_t begin, int64_t end) {
    const bool needs = wants_rows || !batch;
    const Scratch<T> xs(needs ? block * a.dim : 0), ys(needs ? block * a.dim : 0),
        gs(wants_rows ? block * a.dim : 0), hs(wants_rows ? block * a.dim : 0);
    for (int64_t b = begin; b < end; ++b) {
      const int64_t row = b * block, count = std::min(block, a.n - row);
      int64_t xstride = 0, ystride = 0, gstride = 0, hstride = 0;
      const T *x = nullptr, *y = nullptr;
      if (needs) {
        x = load_rows<T>(a.q, row, count, a.dim, factors(fq), xs.data(), xstride);
        y = load_rows<T>(a.p, row, count, a.dim, factors(fp), ys.data(), ystride);
      }
      T* g = rows_to_write<T>(a.dq, row, a.dim, gs.data(), gstride);
      T* h = batch ? nullptr : rows_to_write<T>(a.dp, row, a.dim, hs.data(), hstride);
      for (int64_t r = 0; r < count; ++r) {
        const int64_t i = row + r;
        if (!batch) {
          positive[i] =
              static_cast<T>(a.scale * sum_vectors<T>(a.dim, [&](int64_t j, int64_t n) {
                               return load(x + r * xstride + j, n) * load(y + r * ystride + j, n);
                             }));
        }
        T top = softmax.most[i];
        for (int64_t chunk = 1; chunk < chunks; ++chunk) {
          const T m = softmax.most[chunk * a.n + i];
          top = m > top || m != m ? m : top;
        }
        double sum = 0;
        const auto joined = [&](int64_t chunk) {
          return std::exp(static_cast<double>(softmax.most[chunk * a.n + i]) -
                          static_cast<double>(Softmax<T>::shift(top)));
        };
        for (int64_t chunk = 0; chunk < chunks; ++chunk) {
          sum += chunks == 1 ? softmax.sum[i] : softmax.sum[chunk * a.n + i] * joined(chunk);
        }
        const auto result = finish_row<T>(positive[i], top, sum, upstream_of<T>(a, i));
        losses[i] = result.l;
        if (a.l != nullptr) {
          static_cast<T*>(a.l)[i] = static_cast<T>(result.l);
        }
        most[i] = Softmax<T>::shift(top);
        negative_weight[i] = static_cast<T>(result.negatives * a.scale);
        positive_weight[i] = static_cast<T>(result.positive * a.scale);
        if (keeps) {
          T* line = panel.data() + i * a.k;
          scale_line(line, a.k, negative_weight[i]);
          if (batch) {
            line[i] = positive_weight[i];
          }
        }
        if (g != nullptr) {
          T* to = g + r * gstride;
          std::fill_n(to, a.dim, T(0));
          for (int64_t chunk = 0; chunk < chunks && a.k > 0; ++chunk) {
            const double by = chunks == 1 ? 1 : joined(chunk);
            add_line(to, weighted_at(i, chunk), a.dim,
                     static_cast<T>(result.negatives * a.scale * by));
          }
          add_line(to, y + r * ystride, a.dim, positive_weight[i]);
          if (a.normalize) {
            unnormalise(to, x + r * xstride, fq[i], a.dim);
          }
        }
        if (h != nullptr) {
          T* to = h + r * hstride;
          std::fill_n(to, a.dim, T(0));
          add_line(to, x + r * xstride, a.dim, positive_weight[i]);
          if (a.normalize) {
            unnormalise(to, y + r * ystride, fp[i], a.dim);
          }
        }
      }
      store_rows<T>(a.dq, row, count, a.dim, g);
      if (!batch) {
        store_rows<T>(a.dp, row, count, a.dim, h);
      }
    }
  });
  a.sum = 0;
  for (const double l : losses) {
    a.sum += l;
  }
  if (dc.data == nullptr) {
    return;
  }

  if (keeps) {
    columns_of_panel<T>(a, pairs, dc, panel.data(), c, factors(fq), factors(batch ? fp : fc));
    return;
  }

  // Second walk: the gradient of every column, from the rows' weights.
  struct ColVisit {
    const InfoNce& a;
    const RowsOut& out;
    const T* most;
    const T* negative_weight;
    const T* positive_weight;
    const Rows& c;
    const T* factors;
    int64_t col, cols;
    Scratch<T> room;
    T* sums;
    int64_t stride;
    bool first = true;

    ColVisit(const InfoNce& a, const RowsOut& out, const T* most, const T* negative_weight,
             const T* positive_weight, const Rows& c, const T* factors, int64_t col, int64_t cols)
        : a(a),
          out(out),
          most(most),
          negative_weight(negative_weight),
          positive_weight(positive_weight),
          c(c),
          factors(factors),
          col(col),
          cols(cols),
          room(out.col == 1 ? 0 : cols * a.dim),
          sums(rows_to_write<T>(out, col, a.dim, room.data(), stride)) {}

    void operator()(const Tile<T>& t) {
      using V = at::vec::Vectorized<T>;
      for (int64_t r = 0; r < t.rows; ++r) {
        const int64_t i = t.row + r;
        T* line = t.line(r);
        const V by(most[i]), weight(negative_weight[i]);
        for_vectors<T>(t.cols, [&](int64_t j, int64_t n) {
          ((load(line + j, n) - by).exp() * weight).store(line + j, n);
        });
        const int64_t own = i - t.col;
        if (a.in_batch && own >= 0 && own < t.cols) {
          line[own] = positive_weight[i];
        }
      }
      product_tn(t.weights(), t.x, {sums, cols, a.dim, stride}, !first);
      first = false;
    }
    void end() {
      for (int64_t r = 0; first && r < cols; ++r) {
        std::fill_n(sums + r * stride, a.dim, T(0));
      }
      finish_columns(a, out, c, factors, col, cols, sums, stride);
    }
  };
  walk_cols<T>(pairs, [&](int64_t col, int64_t cols) {
    return ColVisit(a, dc, most.data(), negative_weight.data(), positive_weight.data(), c,
                    factors(batch ? fp : fc), col, cols);
  });
}

/// Negatives of its own for every row: k inner products, then their gradients, row by row.
template <class T>
void info_nce_own(InfoNce& a) {
  using V = at::vec::Vectorized<T>;
  std::vector<double> losses(a.n);
  const bool wants = a.dq.data != nullptr || a.dp.data != nullptr || a.dc.data != nullptr;
  at::parallel_for(0, a.n, 1, [&](int64_t begin, int64_t end) {
    const Scratch<T> s(a.k), fc(a.k), xs(a.dim), ys(a.dim), cs(a.dim), gs(a.dim), hs(a.dim),
        os(a.dim), part(a.dim);
    const Scratch<double> total(a.dim);
    std::fill_n(part.data(), a.dim, T(0));
    for (int64_t i = begin; i < end; ++i) {
      const auto norm = [&](const T* x) {
        const T v = static_cast<T>(std::sqrt(sum_vectors<T>(
            a.dim, [&](int64_t j, int64_t n) { return load(x + j, n) * load(x + j, n); })));
        return 1 / (v < T(1e-12) ? T(1e-12) : v);
      };
      int64_t unused = 0;
      const T* x = load_rows<T>(a.q, i, 1, a.dim, nullptr, xs.data(), unused);
      const T* y = load_rows<T>(a.p, i, 1, a.dim, nullptr, ys.data(), unused);
      T fx = 1, fy = 1;
      if (a.normalize) {
        fx = norm(x);
        fy = norm(y);
        for_vectors<T>(a.dim, [&](int64_t j, int64_t n) {
          (load(x + j, n) * V(fx)).store(xs.data() + j, n);
          (load(y + j, n) * V(fy)).store(ys.data() + j, n);
        });
        x = xs.data();
        y = ys.data();
      }
      Rows c = a.c;
      c.data = static_cast<const T*>(c.data) + i * a.own_stride;
      const auto dot = [&](const T* u, const T* v) {
        return sum_vectors<T>(
            a.dim, [&](int64_t j, int64_t n) { return load(u + j, n) * load(v + j, n); });
      };
      const auto negative = [&](int64_t k) {
        const T* z = load_rows<T>(c, k, 1, a.dim, nullptr, cs.data(), unused);
        if (a.normalize) {
          for_vectors<T>(a.dim, [&](int64_t j, int64_t n) {
            (load(z + j, n) * V(fc[k])).store(cs.data() + j, n);
          });
          z = cs.data();
        }
        return z;
      };
      const T positive = static_cast<T>(a.scale * dot(x, y));
      for (int64_t k = 0; k < a.k; ++k) {
        if (a.normalize) {
          fc[k] = norm(load_rows<T>(c, k, 1, a.dim, nullptr, cs.data(), unused));
        }
        s[k] = static_cast<T>(a.scale * dot(x, negative(k)));
      }
      const T most = max_vectors<T>(a.k, [&](int64_t j, int64_t n) { return load(&s[j], n); });
      const double sum = exp_line(s.data(), a.k, Softmax<T>::shift(most), true);
      const auto result = finish_row<T>(positive, most, sum, upstream_of<T>(a, i));
      losses[i] = result.l;
      if (a.l != nullptr) {
        static_cast<T*>(a.l)[i] = static_cast<T>(result.l);
      }
      if (!wants) {
        continue;
      }
      const T pw = static_cast<T>(result.positive * a.scale);
      const T nw = static_cast<T>(result.negatives * a.scale);
      int64_t gstride = 0, hstride = 0, ostride = 0;
      T* g = rows_to_write<T>(a.dq, i, a.dim, gs.data(), gstride);
      T* h = rows_to_write<T>(a.dp, i, a.dim, hs.data(), hstride);
      for (int64_t j = 0; g != nullptr && j < a.dim; ++j) {
        total[j] = static_cast<double>(pw) * y[j];
      }
      RowsOut dc = a.dc;
      if (dc.data != nullptr) {
        dc.data = static_cast<T*>(dc.data) + i * a.own_out;
      }
      for (int64_t k = 0; k < a.k && (g != nullptr || dc.data != nullptr); ++k) {
        const T* z = negative(k);
        if (g != nullptr) {  // in short runs, joined in double: many terms lose fewer bits
          add_line(part.data(), z, a.dim, s[k] * nw);
          if (k % 64 == 63 || k + 1 == a.k) {
            for (int64_t j = 0; j < a.dim; ++j) {
              total[j] += part[j];
              part[j] = 0;
            }
          }
        }
        if (dc.data != nullptr) {
          T* o = rows_to_write<T>(dc, k, a.dim, os.data(), ostride);
          const V w(s[k] * nw);
          for_vectors<T>(a.dim,
                         [&](int64_t j, int64_t n) { (load(x + j, n) * w).store(o + j, n); });
          if (a.normalize) {
            unnormalise(o, z, fc[k], a.dim);
          }
          store_rows<T>(dc, k, 1, a.dim, o);
        }
      }
      if (g != nullptr) {
        std::copy_n(total.data(), a.dim, g);
        if (a.normalize) {
          unnormalise(g, x, fx, a.dim);
        }
        store_rows<T>(a.dq, i, 1, a.dim, g);
      }
      if (h != nullptr) {
        std::fill_n(h, a.dim, T(0));
        add_line(h, x, a.dim, pw);
        if (a.normalize) {
          unnormalise(h, y, fy, a.dim);
        }
        store_rows<T>(a.dp, i, 1, a.dim, h);
      }
    }
  });
  a.sum = 0;
  for (const double l : losses) {
    a.sum += l;
  }
}

template <class T>
void info_nce(InfoNce& a) {
  a.own ? info_nce_own<T>(a) : info_nce_shared<T>(a);
}

inline void info_nce_loop(InfoNce& a) {
  a.is_double ? info_nce<double>(a) : info_nce<float>(a);
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
