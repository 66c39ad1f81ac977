// The hardest positive and negative of every anchor, over the pairwise walk.
#pragma once

#include "kernels/pairwise.h"

namespace jloss {

/// What the kernel reads and writes. Tiles give keys that order the columns of a row as distance
/// does, up to rounding; columns that rounding could confuse are told apart by their distance,
/// computed in double from the embeddings and rounded to their type. So neither ties nor the choice
/// depend on how a matrix product rounds.
struct HardPairs {
  bool is_double = false;
  int64_t distance = 0;  // a code of Distance
  bool normalize = false;
  bool self = false;               // columns are the rows themselves
  Pairs pairs;                     // keys = offsets + products
  const void* offsets = nullptr;   // of a column; NaN keeps it out of the tiles
  const void* row_size = nullptr;  // norms of the tiles' rows
  const void* col_size = nullptr;
  double spread = 0;  // norm before the rows were centred, whose rounding is in the keys
  const void* row_class = nullptr;  // labels, numbered
  const void* col_class = nullptr;
  const uint8_t* row_odd = nullptr;  // rows and columns that are not in the tiles
  const uint8_t* col_odd = nullptr;
  Rows x;  // the embeddings
  Rows y;
  // Out:
  int64_t* positive = nullptr;  // -1: none
  int64_t* negative = nullptr;
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// Distances in double, one pair at a time, rounded to T; similarities with the sign turned.
template <class T>
class ExactDistance {
 public:
  explicit ExactDistance(const HardPairs& a) : a_(a), dim_(a.pairs.dim) {
    prepare(a.x, a.pairs.rows, x_);
    prepare(a.y, a.pairs.cols, y_);
  }

  T operator()(int64_t row, int64_t col) const {
    const T* x = static_cast<const T*>(a_.x.data) + row * a_.x.row;
    const T* y = static_cast<const T*>(a_.y.data) + col * a_.y.row;
    // Divided, not times a reciprocal: that would take unit rows off their ties.
    const double nx = x_.norm[row], ny = y_.norm[col];
    if (a_.distance == 2 || a_.distance == 3) {
      return static_cast<T>(
          -sum([&](int64_t k) { return x[k * a_.x.col] / nx * (y[k * a_.y.col] / ny); }));
    }
    const double mean = a_.distance == 4 ? x_.mean[row] - y_.mean[col] : 0;
    const double squares = sum([&](int64_t k) {
      const double e = x[k * a_.x.col] / nx - y[k * a_.y.col] / ny - mean;
      return e * e;
    });
    if (a_.distance == 4) {
      return dim_ < 2 ? std::numeric_limits<T>::quiet_NaN()
                      : static_cast<T>(squares / x_.squares[row]);
    }
    return static_cast<T>(a_.distance == 0 ? std::sqrt(squares) : squares);
  }

 private:
  struct Side {
    std::vector<double> norm, mean, squares;
  };

  /// Four sums side by side, joined in one order.
  template <class F>
  double sum(const F& f) const {
    double s[4] = {0, 0, 0, 0};
    int64_t k = 0;
    for (; k + 4 <= dim_; k += 4) {
      s[0] += f(k);
      s[1] += f(k + 1);
      s[2] += f(k + 2);
      s[3] += f(k + 3);
    }
    for (; k < dim_; ++k) {
      s[0] += f(k);
    }
    return (s[0] + s[1]) + (s[2] + s[3]);
  }

  void prepare(const Rows& m, int64_t count, Side& side) const {
    side.norm.assign(count, 1.0);
    const bool normalizes = a_.normalize || a_.distance == 2, centres = a_.distance == 4;
    if (centres) {
      side.mean.resize(count);
      side.squares.resize(count);
    }
    if (!normalizes && !centres) {
      return;
    }
    at::parallel_for(0, count, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* v = static_cast<const T*>(m.data) + i * m.row;
        double& norm = side.norm[i];
        if (normalizes) {
          norm = std::sqrt(sum([&](int64_t k) {
            const double e = v[k * m.col];
            return e * e;
          }));
          norm = norm < 1e-12 ? 1e-12 : norm;
        }
        if (centres) {
          const double mean = sum([&](int64_t k) { return v[k * m.col] / norm; }) / dim_;
          side.mean[i] = mean;
          side.squares[i] = sum([&](int64_t k) {
            const double e = v[k * m.col] / norm - mean;
            return e * e;
          });
        }
      }
    });
  }

  const HardPairs& a_;
  int64_t dim_;
  Side x_, y_;
};

/// The best column of a row so far: the largest sign * distance, of equals the lowest.
template <class T>
struct Best {
  T key = -std::numeric_limits<T>::infinity();  // sign * key of the column, where a tile gave it
  int64_t col = -1;
  T distance = 0;  // sign * distance, where it is known
  bool known = false;

  template <class Exact>
  T measure(const Exact& exact, int64_t row, T sign) {
    if (!known) {
      distance = sign * exact(row, col);
      known = true;
    }
    return distance;
  }

  /// Another column, judged by distance alone.
  template <class Exact>
  void challenge(const Exact& exact, int64_t row, T sign, int64_t other, T other_distance) {
    if (other_distance != other_distance) {
      return;
    }
    if (col >= 0) {
      const T mine = measure(exact, row, sign);
      if (other_distance < mine || (other_distance == mine && col < other)) {
        return;
      }
    }
    col = other;
    distance = other_distance;
    known = true;
  }
};

/// The columns of a tile's line that may beat or equal the best: those within `slack` of the
/// largest.
template <class T, class Exact>
void scan_line(Best<T>& best, const Exact& exact, int64_t row, T sign, const T* keys,
               const T* classes, T own_class, bool same, int64_t col, int64_t count, T largest,
               T slack) {
  if (largest == -std::numeric_limits<T>::infinity() || largest < best.key - slack) {
    return;
  }
  if (largest > best.key + slack) {
    best = Best<T>();
  }
  const T least = std::max(largest, best.key) - slack;
  for (int64_t j = 0; j < count; ++j) {
    const T key = sign * keys[j];
    if (!(key >= least) || (classes[j] == own_class) != same) {
      continue;
    }
    if (best.col < 0) {
      best.col = col + j;
      best.known = false;
    } else {
      best.challenge(exact, row, sign, col + j, sign * exact(row, col + j));
    }
  }
  best.key = std::max(best.key, largest);
}

template <class T>
void hard_pairs(HardPairs& a) {
  const Pairs& pairs = a.pairs;
  const ExactDistance<T> exact(a);
  const int64_t chunks = pairs.chunks();
  std::vector<Best<T>> farthest(pairs.rows * chunks), nearest(pairs.rows * chunks);
  struct Visit {
    const HardPairs& a;
    const ExactDistance<T>& exact;
    Best<T>* farthest;
    Best<T>* nearest;

    void operator()(const Tile<T>& t) {
      using V = at::vec::Vectorized<T>;
      constexpr T kInf = std::numeric_limits<T>::infinity();
      const T* offsets = static_cast<const T*>(a.offsets) + t.col;
      const T* classes = static_cast<const T*>(a.col_class) + t.col;
      const T widest = max_vectors<T>(t.cols, [&](int64_t j, int64_t n) {
        return load(static_cast<const T*>(a.col_size) + t.col + j, n);
      });
      for (int64_t r = 0; r < t.rows; ++r) {
        const int64_t row = t.row + r;
        if (a.row_odd[row]) {
          continue;
        }
        T* keys = t.line(r);
        const T own_class = static_cast<const T*>(a.row_class)[row];
        if (a.self && row >= t.col && row < t.col + t.cols) {
          keys[row - t.col] = std::numeric_limits<T>::quiet_NaN();
        }
        const V own(own_class);
        V most(-kInf), least(kInf);
        for_vectors<T>(t.cols, [&](int64_t j, int64_t n) {
          const V key = load(keys + j, n) + load(offsets + j, n);
          key.store(keys + j, n);
          const V same = load(classes + j, n) == own, fine = key == key;
          const V p = V::blendv(V(-kInf), V::blendv(V(-kInf), key, same), fine);
          const V q = V::blendv(V(kInf), V::blendv(key, V(kInf), same), fine);
          const bool full = n == V::size();
          most = at::vec::maximum(most, full ? p : V::set(most, p, n));
          least = at::vec::minimum(least, full ? q : V::set(least, q, n));
        });
        T high[V::size()], low[V::size()];
        most.store(high);
        least.store(low);
        // Twice the bound on the rounding of a key: of the product, of the sum, of centring.
        const double size = static_cast<double>(static_cast<const T*>(a.row_size)[row]) + widest;
        const T slack = static_cast<T>(
            std::numeric_limits<T>::epsilon() *
            ((16 + 0.5 * static_cast<double>(a.pairs.dim)) * size * size + 8 * size * a.spread));
        scan_line(farthest[r], exact, row, T(1), keys, classes, own_class, true, t.col, t.cols,
                  *std::max_element(high, high + V::size()), slack);
        scan_line(nearest[r], exact, row, T(-1), keys, classes, own_class, false, t.col, t.cols,
                  -*std::min_element(low, low + V::size()), slack);
      }
    }
  };
  walk_rows<T>(pairs, [&](int64_t row, int64_t, int64_t chunk) {
    const int64_t place = chunk * pairs.rows + row;
    return Visit{a, exact, farthest.data() + place, nearest.data() + place};
  });

  std::vector<int64_t> odd;
  for (int64_t j = 0; j < pairs.cols; ++j) {
    if (a.col_odd[j]) {
      odd.push_back(j);
    }
  }
  const T* row_class = static_cast<const T*>(a.row_class);
  const T* col_class = static_cast<const T*>(a.col_class);
  at::parallel_for(0, pairs.rows, 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Best<T> far = farthest[i], near = nearest[i];
      const auto judge = [&](int64_t j) {
        if (a.self && i == j) {
          return;
        }
        const bool same = row_class[i] == col_class[j];
        const T sign = same ? T(1) : T(-1);
        (same ? far : near).challenge(exact, i, sign, j, sign * exact(i, j));
      };
      for (int64_t chunk = 1; chunk < chunks; ++chunk) {
        for (const auto* all : {&farthest, &nearest}) {
          if ((*all)[chunk * pairs.rows + i].col >= 0) {
            judge((*all)[chunk * pairs.rows + i].col);
          }
        }
      }
      if (a.row_odd[i]) {
        for (int64_t j = 0; j < pairs.cols; ++j) {
          judge(j);
        }
      } else {
        for (const int64_t j : odd) {
          judge(j);
        }
      }
      a.positive[i] = far.col;
      a.negative[i] = near.col;
    }
  });
}

inline void hard_pairs_loop(HardPairs& a) {
  a.is_double ? hard_pairs<double>(a) : hard_pairs<float>(a);
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
