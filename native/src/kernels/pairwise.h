// The pairwise walk: tiles of all inner products of two sets of rows, made by matrix product,
// visited and forgotten. Memory is one tile a thread.
#pragma once

#include "core/gemm.h"
#include "kernels/capability.h"
#include "kernels/rows.h"

namespace jloss {

/// Two sets of rows and how their products are cut into tiles. The cut depends on sizes alone, so
/// that the bits do not depend on threads.
struct Pairs {
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t dim = 0;
  Rows x;                           // one row of the product matrix each
  Rows y;                           // one column each
  const void* x_factors = nullptr;  // a factor a row of x, or null
  const void* y_factors = nullptr;
  double alpha = 1;  // a factor of all products

  void* panel = nullptr;  // of a small product: where walk_rows leaves all of it, rows by cols

  /// A product this small is made of whole rows, and may be kept.
  bool small() const {
    return cols <= 4096 && rows * cols <= (1 << 18);
  }
  int64_t row_block() const {
    if (small()) {
      return rows <= 128 ? 32 : 64;
    }
    return rows >= 1024 ? 256 : rows >= 512 ? 128 : 64;
  }
  int64_t col_block() const {
    if (small()) {
      return cols > 0 ? cols : 1;
    }
    return cols >= 512 ? 256 : 64;
  }
  int64_t row_blocks() const {
    return (rows + row_block() - 1) / row_block();
  }
  int64_t col_blocks() const {
    return (cols + col_block() - 1) / col_block();
  }
  /// Few rows: their columns are cut into chunks of their own, so that many threads find work.
  int64_t chunks() const {
    const int64_t wanted = 32 / (row_blocks() + 1);
    const int64_t most = cols / (2048 + rows);
    return most < 1 || wanted < 1 ? 1 : wanted < most ? wanted : most;
  }
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/Parallel.h>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// A tile: s[r * cols + c] = alpha x[row + r] . y[col + c]. A visitor may write into s. x and y are
/// the packed rows, already times their factors.
template <class T>
struct Tile {
  T* s;
  int64_t row, rows, col, cols;
  Matrix<const T> x, y;

  Matrix<const T> weights() const {
    return {s, rows, cols, cols};
  }
  T* line(int64_t r) const {
    return s + r * cols;
  }
};

/// The tiles of one thread.
template <class T>
class Tiles {
 public:
  explicit Tiles(const Pairs& a)
      : a_(a),
        s_(a.panel == nullptr ? a.row_block() * a.col_block() : 0),
        x_(a.row_block() * a.dim),
        y_(a.col_block() * a.dim) {}

  void load_x(int64_t row, int64_t rows) {
    tile_.row = row;
    tile_.rows = rows;
    tile_.x = load(a_.x, row, rows, a_.x_factors, x_);
  }
  void load_y(int64_t col, int64_t cols) {
    tile_.col = col;
    tile_.cols = cols;
    tile_.y = load(a_.y, col, cols, a_.y_factors, y_);
  }
  const Tile<T>& product() {
    tile_.s = a_.panel == nullptr ? s_.data() : static_cast<T*>(a_.panel) + tile_.row * a_.cols;
    product_nt(tile_.x, tile_.y, {tile_.s, tile_.rows, tile_.cols, tile_.cols}, a_.alpha);
    return tile_;
  }

 private:
  Matrix<const T> load(const Rows& m, int64_t first, int64_t count, const void* factors,
                       const Scratch<T>& scratch) {
    int64_t stride = 0;
    const T* data = load_rows<T>(m, first, count, a_.dim, static_cast<const T*>(factors),
                                 scratch.data(), stride);
    return {data, count, a_.dim, stride};
  }

  const Pairs& a_;
  Scratch<T> s_, x_, y_;
  Tile<T> tile_;
};

/// Row by row: for every block of rows and every chunk of columns, in parallel, makes
/// `Visitor(args..., first row, rows, chunk)`, shows it the tiles from left to right by
/// visitor(tile), and destroys it.
template <class T, class Make>
void walk_rows(const Pairs& a, const Make& make) {
  const int64_t chunks = a.chunks(), blocks = a.col_blocks();
  at::parallel_for(0, a.row_blocks() * chunks, 1, [&](int64_t begin, int64_t end) {
    Tiles<T> tiles(a);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / chunks * a.row_block(), chunk = task % chunks;
      const int64_t rows = std::min(a.row_block(), a.rows - row);
      tiles.load_x(row, rows);
      auto visit = make(row, rows, chunk);
      for (int64_t b = blocks * chunk / chunks; b < blocks * (chunk + 1) / chunks; ++b) {
        const int64_t col = b * a.col_block();
        tiles.load_y(col, std::min(a.col_block(), a.cols - col));
        visit(tiles.product());
      }
      visit.end();
    }
  });
}

/// Column by column: the same tiles, to the same bits, each block of columns from top to bottom by
/// one visitor `make(first column, columns)`.
template <class T, class Make>
void walk_cols(const Pairs& a, const Make& make) {
  at::parallel_for(0, a.col_blocks(), 1, [&](int64_t begin, int64_t end) {
    Tiles<T> tiles(a);
    for (int64_t b = begin; b < end; ++b) {
      const int64_t col = b * a.col_block(), cols = std::min(a.col_block(), a.cols - col);
      tiles.load_y(col, cols);
      auto visit = make(col, cols);
      for (int64_t row = 0; row < a.rows; row += a.row_block()) {
        tiles.load_x(row, std::min(a.row_block(), a.rows - row));
        visit(tiles.product());
      }
      visit.end();
    }
  });
}

/// 1 / max(|row|, 1e-12) of every row.
template <class T>
void inverse_norms(const Rows& m, int64_t rows, int64_t dim, T* out) {
  const int64_t block = 64;
  at::parallel_for(
      0, (rows + block - 1) / block, std::max<int64_t>(1, 512 / (dim + 1)),
      [&](int64_t begin, int64_t end) {
        const Scratch<T> scratch(m.col == 1 ? 0 : block * dim);
        for (int64_t b = begin; b < end; ++b) {
          const int64_t row = b * block, count = std::min(block, rows - row);
          int64_t stride = m.row;
          const T* x = m.col == 1
                           ? static_cast<const T*>(m.data) + row * m.row
                           : load_rows<T>(m, row, count, dim, nullptr, scratch.data(), stride);
          for (int64_t i = 0; i < count; ++i) {
            const T norm = static_cast<T>(std::sqrt(sum_vectors<T>(dim, [&](int64_t j, int64_t n) {
              const auto v = jloss::load(x + i * stride + j, n);
              return v * v;
            })));
            out[row + i] = 1 / (norm < T(1e-12) ? T(1e-12) : norm);
          }
        }
      });
}

/// Turns the gradient g with respect to a normalised row n = x * inverse into that of x, in place.
template <class T>
void unnormalise(T* g, const T* n, T inverse, int64_t dim) {
  using V = at::vec::Vectorized<T>;
  // A clamped norm is a constant: nothing is taken off along n.
  const double along = inverse >= T(1e12) ? 0 : sum_vectors<T>(dim, [&](int64_t j, int64_t c) {
    return jloss::load(g + j, c) * jloss::load(n + j, c);
  });
  const V va(static_cast<T>(along)), vi(inverse);
  for_vectors<T>(dim, [&](int64_t j, int64_t c) {
    ((jloss::load(g + j, c) - va * jloss::load(n + j, c)) * vi).store(g + j, c);
  });
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif
