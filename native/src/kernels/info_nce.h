// InfoNCE over the pairwise walk: a positive logit and a row of negative logits each.
#pragma once

#include "kernels/exp.h"
#include "kernels/pairwise.h"
#include "kernels/reduced.h"

namespace jloss {

/// What the kernels read and write. Logits are inner products over the temperature, of rows
/// divided by their norms where `normalize` says so.
struct InfoNce : Reduced {
  bool normalize = false;
  int64_t n = 0;
  int64_t k = 0;  // negatives of a row; in a batch those of all rows, and the diagonal positive
  int64_t dim = 0;
  double inverse_temperature = 1;
  Rows q;
  Rows p;
  Rows c;  // shared negatives; undefined in a batch
  bool in_batch = false;
  bool own = false;        // c holds n times k rows, k of each row
  int64_t own_stride = 0;  // from one row's negatives to the next's
  // Out:
  RowsOut dq;
  RowsOut dp;
  RowsOut dc;
  int64_t own_out = 0;
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <numeric>
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// exp(s - shift) in place of s where it is stored; returns the sum.
template <class T>
double exp_line(T* s, int64_t count, T shift, bool stored) {
  using V = at::vec::Vectorized<T>;
  const V by(shift);
  return sum_vectors<T>(count, [&](int64_t j, int64_t n) {
    const V e = jloss::exp(load(s + j, n) - by);
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
  return a.scale * (a.upstream == nullptr ? 1.0 : static_cast<const T*>(a.upstream)[row]);
}

/// In a batch, or with shared negatives: for each band of rows the softmax over every row's
/// products, by chunks, and while the weights are kept the columns' share of them.
template <class T>
class SharedNegatives {
 public:
  explicit SharedNegatives(InfoNce& a)
      : a_(a),
        batch_(a.in_batch),
        c_(batch_ ? a.p : a.c),
        dc_(batch_ ? a.dp : a.dc),
        losses_(a.n),
        positive_(a.n),
        positive_weight_(a.n) {
    if (a.normalize) {
      norms(a.q, a.n, fq_);
      norms(a.p, a.n, fp_);
      if (!batch_) {
        norms(a.c, a.k, fc_);
      }
    }
    pairs_.rows = a.n;
    pairs_.cols = a.k;
    pairs_.dim = a.dim;
    pairs_.x = a.q;
    pairs_.y = c_;
    pairs_.x_factors = factors(fq_);
    pairs_.y_factors = factors(batch_ ? fp_ : fc_);
    pairs_.alpha = a.inverse_temperature;
    pairs_.keeps = dc_.data != nullptr;
    chunks_ = pairs_.chunks();
    band_ = pairs_.band();
  }

  void run() {
    const bool keeps = pairs_.keeps, dense = dc_.col == 1;
    const Scratch<T> panel(keeps ? band_ * a_.k : 0);
    const Scratch<T> sums(keeps && !dense ? a_.k * a_.dim : 0);
    const bool sides = keeps || a_.dq.data != nullptr;
    const Scratch<T> side(sides ? chunks_ * band_ * a_.dim : 0);
    const Matrix<T> columns{dense ? static_cast<T*>(dc_.data) : sums.data(), a_.k, a_.dim,
                            dense ? dc_.row : a_.dim};
    side_ = sides ? side.data() : nullptr;
    for (int64_t first = 0; first < a_.n; first += band_) {
      const int64_t last = std::min(a_.n, first + band_);
      Softmax<T> softmax(band_ * chunks_);
      weigh(first, last, panel.data(), softmax);
      join(first, last, softmax);
      if (keeps) {
        add_to_columns(first, last, panel.data(), columns);
      }
    }
    a_.sum = std::accumulate(losses_.begin(), losses_.end(), 0.0);
    if (keeps) {
      finish_columns(columns);
    }
  }

 private:
  static constexpr int64_t kBlock = 64;

  void norms(const Rows& m, int64_t rows, std::vector<T>& out) const {
    out.resize(rows);
    inverse_norms(m, rows, a_.dim, out.data());
  }
  const T* factors(const std::vector<T>& f) const {
    return a_.normalize ? f.data() : nullptr;
  }

  /// Of row i of a band and one chunk: the rows of y by weight, and then x by what the weights
  /// lack.
  T* side(int64_t i, int64_t chunk) const {
    return side_ == nullptr ? nullptr : side_ + (chunk * band_ + i) * a_.dim;
  }

  /// Logits to weights exp(s - most), and with them the sum of the negatives.
  void weigh(int64_t first, int64_t last, T* panel, Softmax<T>& softmax) {
    struct Visit {
      SharedNegatives& self;
      Softmax<T>& softmax;
      T* weighted;
      int64_t place;
      bool first = true;

      void operator()(const Tile<T>& t) {
        const auto& a = self.a_;
        for (int64_t r = 0; r < t.rows; ++r) {
          const int64_t own = t.row + r - t.col;
          if (self.batch_ && own >= 0 && own < t.cols) {
            self.positive_[t.row + r] = t.line(r)[own];
            t.line(r)[own] = -std::numeric_limits<T>::infinity();
          }
          T* sums = weighted == nullptr ? nullptr : weighted + r * a.dim;
          softmax.take(place + r, t.line(r), t.cols, self.side_ != nullptr, sums,
                       first ? 0 : a.dim);
        }
        if (weighted != nullptr) {
          product_nn(t.weights(), t.y, {weighted, t.rows, a.dim, a.dim}, !first);
        }
        first = false;
      }
    };
    walk_rows<T>(pairs_, first, last, panel, [&](int64_t row, int64_t, int64_t chunk) {
      return Visit{*this, softmax, a_.dq.data == nullptr ? nullptr : side(row - first, chunk),
                   chunk * band_ + row - first};
    });
  }

  /// Chunks joined: losses, weights, gradients of the query and of a positive of its own.
  void join(int64_t first, int64_t last, const Softmax<T>& softmax) {
    const InfoNce& a = a_;
    const bool outputs = a.dq.data != nullptr || (!batch_ && a.dp.data != nullptr);
    const bool needs = outputs || !batch_ || pairs_.keeps;
    at::parallel_for(0, (last - first + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
      const Scratch<T> xs(needs ? kBlock * a.dim : 0), ys(needs ? kBlock * a.dim : 0),
          gs(outputs ? kBlock * a.dim : 0), hs(outputs ? kBlock * a.dim : 0);
      for (int64_t b = begin; b < end; ++b) {
        const int64_t row = first + b * kBlock, count = std::min(kBlock, last - row);
        int64_t xstride = 0, ystride = 0, gstride = 0, hstride = 0;
        const T *x = nullptr, *y = nullptr;
        if (needs) {
          x = load_rows<T>(a.q, row, count, a.dim, factors(fq_), xs.data(), xstride);
          y = load_rows<T>(a.p, row, count, a.dim, factors(fp_), ys.data(), ystride);
        }
        T* g = rows_to_write<T>(a.dq, row, a.dim, gs.data(), gstride);
        T* h = batch_ ? nullptr : rows_to_write<T>(a.dp, row, a.dim, hs.data(), hstride);
        for (int64_t r = 0; r < count; ++r) {
          join_row(row + r, row + r - first, softmax, x + r * xstride, y + r * ystride,
                   g == nullptr ? nullptr : g + r * gstride,
                   h == nullptr ? nullptr : h + r * hstride);
        }
        store_rows<T>(a.dq, row, count, a.dim, g);
        if (!batch_) {
          store_rows<T>(a.dp, row, count, a.dim, h);
        }
      }
    });
  }

  /// Row i, which is `at` in its band.
  void join_row(int64_t i, int64_t at, const Softmax<T>& softmax, const T* x, const T* y, T* g,
                T* h) {
    if (!batch_) {
      positive_[i] =
          static_cast<T>(a_.inverse_temperature * sum_vectors<T>(a_.dim, [&](int64_t j, int64_t n) {
                           return load(x + j, n) * load(y + j, n);
                         }));
    }
    T top = softmax.most[at];
    for (int64_t chunk = 1; chunk < chunks_; ++chunk) {
      const T m = softmax.most[chunk * band_ + at];
      top = m > top || m != m ? m : top;
    }
    const auto joined = [&](int64_t chunk) {
      return chunks_ == 1 ? 1.0
                          : std::exp(static_cast<double>(softmax.most[chunk * band_ + at]) -
                                     static_cast<double>(Softmax<T>::shift(top)));
    };
    double sum = 0;
    for (int64_t chunk = 0; chunk < chunks_; ++chunk) {
      sum += softmax.sum[chunk * band_ + at] * joined(chunk);
    }
    const auto result = finish_row<T>(positive_[i], top, sum, upstream_of<T>(a_, i));
    losses_[i] = result.l;
    if (a_.l != nullptr) {
      static_cast<T*>(a_.l)[i] = static_cast<T>(result.l);
    }
    const T own = static_cast<T>(result.positive * a_.inverse_temperature);
    positive_weight_[i] = own;
    const auto weight = [&](int64_t chunk) {
      return static_cast<T>(result.negatives * a_.inverse_temperature * joined(chunk));
    };
    if (g != nullptr) {
      std::fill_n(g, a_.dim, T(0));
      for (int64_t chunk = 0; chunk < chunks_ && a_.k > 0; ++chunk) {
        add_line(g, side(at, chunk), a_.dim, weight(chunk));
      }
      add_line(g, y, a_.dim, own);
      if (a_.normalize) {
        unnormalise(g, x, fq_[i], a_.dim);
      }
    }
    if (h != nullptr) {
      std::fill_n(h, a_.dim, T(0));
      add_line(h, x, a_.dim, own);
      if (a_.normalize) {
        unnormalise(h, y, fp_[i], a_.dim);
      }
    }
    for (int64_t chunk = 0; chunk < chunks_ && pairs_.keeps; ++chunk) {
      std::fill_n(side(at, chunk), a_.dim, T(0));
      add_line(side(at, chunk), x, a_.dim, weight(chunk));
    }
  }

  void add_to_columns(int64_t first, int64_t last, const T* panel, const Matrix<T>& columns) {
    const int64_t rows = last - first, block = pairs_.col_block();
    at::parallel_for(0, pairs_.col_blocks(), 1, [&](int64_t begin, int64_t end) {
      int64_t chunk = 0;
      for (int64_t b = begin; b < end; ++b) {
        const int64_t col = b * block, cols = std::min(block, a_.k - col);
        while (col >= pairs_.chunk_begin(chunk + 1)) {
          ++chunk;
        }
        product_tn({panel + col, rows, cols, a_.k}, {side(0, chunk), rows, a_.dim, a_.dim},
                   Matrix<T>{columns.data + col * columns.stride, cols, a_.dim, columns.stride},
                   first > 0);
      }
    });
  }

  /// Ends the gradients of columns: with the row each is the positive of, and through the norm.
  void finish_columns(const Matrix<T>& columns) {
    const T* by = factors(batch_ ? fp_ : fc_);
    at::parallel_for(0, (a_.k + kBlock - 1) / kBlock, 4, [&](int64_t begin, int64_t end) {
      const Scratch<T> row(a_.dim);
      for (int64_t b = begin; b < end; ++b) {
        const int64_t col = b * kBlock, count = std::min(kBlock, a_.k - col);
        for (int64_t i = col; i < col + count; ++i) {
          T* to = columns.data + i * columns.stride;
          int64_t unused = 0;
          if (a_.n == 0) {
            std::fill_n(to, a_.dim, T(0));
          }
          if (batch_) {
            add_line(to, load_rows<T>(a_.q, i, 1, a_.dim, factors(fq_), row.data(), unused), a_.dim,
                     positive_weight_[i]);
          }
          if (by != nullptr) {
            unnormalise(to, load_rows<T>(c_, i, 1, a_.dim, by, row.data(), unused), by[i], a_.dim);
          }
        }
        store_rows<T>(dc_, col, count, a_.dim, columns.data + col * columns.stride);
      }
    });
  }

  InfoNce& a_;
  const bool batch_;
  const Rows c_;
  const RowsOut dc_;
  Pairs pairs_;
  int64_t chunks_ = 1, band_ = 1;
  std::vector<T> fq_, fp_, fc_;
  std::vector<double> losses_;
  std::vector<T> positive_, positive_weight_;
  T* side_ = nullptr;
};

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
      const T positive = static_cast<T>(a.inverse_temperature * dot(x, y));
      for (int64_t k = 0; k < a.k; ++k) {
        if (a.normalize) {
          fc[k] = norm(load_rows<T>(c, k, 1, a.dim, nullptr, cs.data(), unused));
        }
        s[k] = static_cast<T>(a.inverse_temperature * dot(x, negative(k)));
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
      const T pw = static_cast<T>(result.positive * a.inverse_temperature);
      const T nw = static_cast<T>(result.negatives * a.inverse_temperature);
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
  a.own ? info_nce_own<T>(a) : SharedNegatives<T>(a).run();
}

inline void info_nce_loop(InfoNce& a) {
  a.is_double ? info_nce<double>(a) : info_nce<float>(a);
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
