// The pairwise walk: tiles of all inner products of two sets of rows, made by matrix product,
// visited and forgotten, or kept for a band of rows at a time. Memory is one tile a thread, or one
// band.
#pragma once

#include <algorithm>

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

  /// Are the products of a band of rows kept together, for the gradients of the columns?
  bool keeps = false;

  /// The rows of a band: as many as 16 MB of float32 hold, and no fewer than make a matrix product.
  int64_t band() const {
    const int64_t most = std::max<int64_t>(32, (1 << 22) / std::max<int64_t>(cols, 1));
    return keeps && rows > most ? most / row_block() * row_block() : std::max<int64_t>(rows, 1);
  }
  int64_t row_block() const {
    const int64_t block = rows >= 1024 ? 256 : rows >= 512 ? 128 : rows > 128 ? 64 : 32;
    return keeps && cols > (1 << 14) ? std::min<int64_t>(block, cols > (1 << 16) ? 32 : 64) : block;
  }
  int64_t col_block() const {
    return cols >= 512 ? 256 : 64;
  }
  int64_t col_blocks() const {
    return (cols + col_block() - 1) / col_block();
  }
  /// A row's columns are cut into chunks of their own: where rows are few, so that many threads
  /// find work; where products are kept, so that a tile of whole chunks stays in the cache.
  int64_t chunks() const {
    const int64_t wanted = 32 / ((rows + row_block() - 1) / row_block() + 1);
    const int64_t most = cols / (2048 + rows);
    const int64_t few = most < 1 || wanted < 1 ? 1 : std::min(wanted, most);
    return keeps ? std::max(few, (cols + 1023) / 1024) : few;
  }
  int64_t chunk_begin(int64_t chunk) const {
    return std::min(cols, col_blocks() * chunk / chunks() * col_block());
  }
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/Parallel.h>

namespace jloss {
inline namespace CPU_CAPABILITY {

/// A tile: line(r)[c] = alpha x[row + r] . y[col + c]. A visitor may write into it. x and y are the
/// packed rows, already times their factors.
template <class T>
struct Tile {
  Matrix<T> s;
  int64_t row, rows, col, cols;
  Matrix<const T> x, y;

  Matrix<const T> weights() const {
    return {s.data, rows, cols, s.stride};
  }
  T* line(int64_t r) const {
    return s.data + r * s.stride;
  }
};

/// The tiles of one thread.
template <class T>
class Tiles {
 public:
  /// Of at most `width` columns.
  Tiles(const Pairs& a, int64_t width)
      : a_(a),
        s_(a.keeps ? 0 : a.row_block() * width),
        x_(a.row_block() * a.dim),
        y_(in_place(a.y, width, a.y_factors) ? 0 : width * a.dim) {}

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
  /// The products, in scratch or where they are kept.
  const Tile<T>& product(T* kept = nullptr) {
    tile_.s = kept == nullptr ? Matrix<T>{s_.data(), tile_.rows, tile_.cols, tile_.cols}
                              : Matrix<T>{kept, tile_.rows, tile_.cols, a_.cols};
    product_nt(tile_.x, tile_.y, tile_.s, a_.alpha);
    return tile_;
  }

 private:
  Matrix<const T> load(const Rows& m, int64_t first, int64_t count, const void* factors,
                       const Scratch<T>& scratch) {
    if (turned(m, count, factors)) {
      return {static_cast<const T*>(m.data) + first, count, a_.dim, 1, m.col};
    }
    int64_t stride = 0;
    const T* data = load_rows<T>(m, first, count, a_.dim, static_cast<const T*>(factors),
                                 scratch.data(), stride);
    return {data, count, a_.dim, stride};
  }

  /// A product takes columns side by side as it takes rows.
  static bool turned(const Rows& m, int64_t count, const void* factors) {
    return factors == nullptr && m.row == 1 && m.col >= std::max<int64_t>(count, 2);
  }
  bool in_place(const Rows& m, int64_t count, const void* factors) const {
    return turned(m, count, factors) || reads_in_place(m, count, a_.dim, factors);
  }

  const Pairs& a_;
  Scratch<T> s_, x_, y_;
  Tile<T> tile_;
};

/// Row by row over the rows [first, last): for every block of rows and every chunk of columns, in
/// parallel, makes `Visitor(args..., first row, rows, chunk)`, shows it the tiles from left to
/// right by visitor(tile), and destroys it. Where products are kept, in `panel` (rows of this call
/// by all columns), a chunk is one tile.
template <class T, class Make>
void walk_rows(const Pairs& a, int64_t first, int64_t last, T* panel, const Make& make) {
  const int64_t block = a.row_block(), blocks = (last - first + block - 1) / block;
  const int64_t chunks = a.chunks();
  int64_t width = a.col_block();
  for (int64_t c = 0; a.keeps && c < chunks; ++c) {
    width = std::max(width, a.chunk_begin(c + 1) - a.chunk_begin(c));
  }
  at::parallel_for(0, blocks * chunks, 1, [&](int64_t begin, int64_t end) {
    Tiles<T> tiles(a, width);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = first + task / chunks * block, chunk = task % chunks;
      const int64_t rows = std::min(block, last - row), stop = a.chunk_begin(chunk + 1);
      tiles.load_x(row, rows);
      auto visit = make(row, rows, chunk);
      for (int64_t col = a.chunk_begin(chunk); col < stop; col += width) {
        tiles.load_y(col, std::min(width, stop - col));
        visit(tiles.product(a.keeps ? panel + (row - first) * a.cols + col : nullptr));
      }
    }
  });
}

template <class T, class Make>
void walk_rows(const Pairs& a, const Make& make) {
  walk_rows<T>(a, 0, a.rows, nullptr, make);
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
