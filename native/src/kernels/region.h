// The region loop: a few sums of every (sample, class) region of a segmentation map in one pass,
// and the gradient that follows from those sums in a second.
#pragma once

#include <cstdint>

#include "kernels/capability.h"

namespace jloss {

/// What the loops read and write: maps of (sample, channel, pixel).
struct Region {
  /// A map read by its strides. Either pixel or channel has stride 1.
  struct Map {
    const void* data = nullptr;
    int64_t sample = 0, channel = 0, pixel = 1;
  };
  enum Activation { kIdentity, kSigmoid, kSoftmax };
  enum Target { kMap, kIntegerMap, kClassIndex };
  /// What the first sum of a region adds: p g, the same with squares in the other two, min(p, g).
  enum Form { kProduct, kSquare, kMinimum };

  bool is_double = false;
  Activation activation = kIdentity;
  Target target = kMap;
  Form form = kProduct;
  int64_t samples = 0, channels = 0, pixels = 0;
  Map x, t;                       // t.channel is not read for class indices
  const uint8_t* kept = nullptr;  // channels that take part; all where null
  bool ignores = false;           // elements whose target is `ignored` take no part
  int64_t ignored = 0;
  double* sums = nullptr;  // (samples, channels, 3): overlap, sum of p, sum of g
  // Second pass: the slopes of the loss by those sums, and where the gradients go.
  const double* slopes = nullptr;  // (slope_samples, channels, 3)
  bool shared_slopes = false;      // one sample of slopes for all
  Map dx, dt;
  // Out: a class index outside [0, channels), if there is one.
  bool bad = false;
  int64_t bad_index = 0;
};

}  // namespace jloss

#ifndef JLOSS_HOST
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/vec.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {
namespace region_loops {

/// How the pixels of a sample are cut: tiles whose channels fit the first-level cache, joined to
/// units of fixed size, each with its own partial sums: the same bits for any number of threads.
struct RegionCut {
  int64_t tile, unit, per_sample, units, grain;

  explicit RegionCut(const Region& a) {
    tile = std::clamp<int64_t>(4096 / a.channels, 64, 1024) / 64 * 64;
    unit = std::max<int64_t>(16384 / a.channels, 1);
    unit = (unit + tile - 1) / tile * tile;
    per_sample = (a.pixels + unit - 1) / unit;
    units = a.samples * per_sample;
    grain = std::max<int64_t>(1, 32768 / (std::min(unit, a.pixels) * a.channels));
  }
};

/// Channels of a tile, one after the other, from a map of any layout.
template <class From, class To>
void to_planes(const Region::Map& map, int64_t n, int64_t begin, int64_t m, int64_t channels,
               To* out, int64_t ld) {
  const From* in = static_cast<const From*>(map.data) + n * map.sample + begin * map.pixel;
  if (map.pixel == 1) {
    for (int64_t c = 0; c < channels; ++c) {
      const From* row = in + c * map.channel;
      for (int64_t i = 0; i < m; ++i) {
        out[c * ld + i] = static_cast<To>(row[i]);
      }
    }
    return;
  }
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < m; ++i) {
      out[c * ld + i] = static_cast<To>(in[i * map.pixel + c * map.channel]);
    }
  }
}

template <class T>
void from_planes(const T* in, int64_t ld, const Region::Map& map, int64_t n, int64_t begin,
                 int64_t m, int64_t channels) {
  T* out = static_cast<T*>(const_cast<void*>(map.data)) + n * map.sample + begin * map.pixel;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t c = 0; c < channels; ++c) {
      out[i * map.pixel + c * map.channel] = in[c * ld + i];
    }
  }
}

/// Calls f(i, count) for whole vectors of [begin, end), then for the rest.
template <int64_t Size, class F>
inline void by_vector(int64_t begin, int64_t end, const F& f) {
  for (; begin + Size <= end; begin += Size) {
    f(begin, Size);
  }
  if (begin < end) {
    f(begin, end - begin);
  }
}

template <class T>
inline at::vec::Vectorized<T> load(const T* from, int64_t count) {
  using V = at::vec::Vectorized<T>;
  return count == V::size() ? V::loadu(from) : V::loadu(from, count);
}

template <class T>
inline at::vec::Vectorized<T> sigmoid(at::vec::Vectorized<T> x) {
  const at::vec::Vectorized<T> one(1);
  return one / (one + x.neg().exp());
}

/// The tile a thread works on: probabilities and targets, a row of pixels a channel.
template <class T>
class RegionTile {
 public:
  using V = at::vec::Vectorized<T>;

  RegionTile(const Region& a, int64_t tile) : a_(a), tile_(tile) {
    if (a.activation != Region::kIdentity || a.x.pixel != 1) {
      p_.resize(a.channels * tile);
    }
    if (a.target == Region::kClassIndex) {
      index_.resize(tile);
      g_.resize(tile);
    } else if (a.target == Region::kIntegerMap || a.t.pixel != 1) {
      g_.resize(a.channels * tile);
    }
  }

  /// Goes to pixels [begin, begin + m) of sample n.
  void enter(int64_t n, int64_t begin, int64_t m) {
    m_ = m;
    enter_input(n, begin);
    enter_target(n, begin);
  }

  const T* p(int64_t c) const {
    return x_ + c * ldx_;
  }

  const T* g(int64_t c) {
    if (a_.target != Region::kClassIndex) {
      return t_ + c * ldt_;
    }
    const V one(1), zero(0), channel(static_cast<T>(c));
    by_vector<V::size()>(0, m_, [&](int64_t i, int64_t count) {
      const V index = load(index_.data() + i, count);
      V hot = V::blendv(zero, one, index == channel);
      if (a_.ignores) {
        hot = V::blendv(hot, V(-1), index == V(-1));
      }
      hot.store(g_.data() + i, count);
    });
    return g_.data();
  }

  /// The value of g that marks an ignored element.
  T ignored() const {
    return a_.target == Region::kClassIndex ? T(-1) : static_cast<T>(a_.ignored);
  }

  bool bad() const {
    return bad_;
  }

  int64_t bad_index() const {
    return bad_index_;
  }

 private:
  void enter_input(int64_t n, int64_t begin) {
    if (a_.x.pixel == 1) {
      x_ = static_cast<const T*>(a_.x.data) + n * a_.x.sample + begin;
      ldx_ = a_.x.channel;
    } else {
      to_planes<T>(a_.x, n, begin, m_, a_.channels, p_.data(), tile_);
      x_ = p_.data();
      ldx_ = tile_;
    }
    if (a_.activation == Region::kSigmoid) {
      for (int64_t c = 0; c < a_.channels; ++c) {
        const T* in = x_ + c * ldx_;
        T* out = p_.data() + c * tile_;
        by_vector<V::size()>(0, m_, [&](int64_t i, int64_t count) {
          sigmoid(load(in + i, count)).store(out + i, count);
        });
      }
    } else if (a_.activation == Region::kSoftmax) {
      by_vector<V::size()>(0, m_, [&](int64_t i, int64_t count) { softmax(i, count); });
    }
    if (a_.activation != Region::kIdentity) {
      x_ = p_.data();
      ldx_ = tile_;
    }
  }

  void softmax(int64_t i, int64_t count) {
    V top = load(x_ + i, count);
    for (int64_t c = 1; c < a_.channels; ++c) {
      top = at::vec::maximum(top, load(x_ + c * ldx_ + i, count));
    }
    V sum(0);
    for (int64_t c = 0; c < a_.channels; ++c) {
      const V e = (load(x_ + c * ldx_ + i, count) - top).exp();
      sum = sum + e;
      e.store(p_.data() + c * tile_ + i, count);
    }
    const V scale = V(1) / sum;
    for (int64_t c = 0; c < a_.channels; ++c) {
      T* out = p_.data() + c * tile_ + i;
      (load(out, count) * scale).store(out, count);
    }
  }

  void enter_target(int64_t n, int64_t begin) {
    if (a_.target == Region::kMap && a_.t.pixel == 1) {
      t_ = static_cast<const T*>(a_.t.data) + n * a_.t.sample + begin;
      ldt_ = a_.t.channel;
      return;
    }
    if (a_.target != Region::kClassIndex) {
      if (a_.target == Region::kMap) {
        to_planes<T>(a_.t, n, begin, m_, a_.channels, g_.data(), tile_);
      } else {
        to_planes<int64_t>(a_.t, n, begin, m_, a_.channels, g_.data(), tile_);
      }
      t_ = g_.data();
      ldt_ = tile_;
      return;
    }
    const int64_t* in = static_cast<const int64_t*>(a_.t.data) + n * a_.t.sample;
    for (int64_t i = 0; i < m_; ++i) {
      int64_t index = in[(begin + i) * a_.t.pixel];
      if (a_.ignores && index == a_.ignored) {
        index = -1;
      } else if (index < 0 || index >= a_.channels) {
        if (!bad_) {
          bad_ = true;
          bad_index_ = index;
        }
        index = 0;
      }
      index_[i] = static_cast<T>(index);
    }
  }

  const Region& a_;
  const int64_t tile_;
  int64_t m_ = 0;
  const T* x_ = nullptr;
  const T* t_ = nullptr;
  int64_t ldx_ = 0, ldt_ = 0;
  bool bad_ = false;
  int64_t bad_index_ = 0;
  std::vector<T> p_, g_, index_;
};

template <class T>
double lane_sum(const at::vec::Vectorized<T>& v) {
  constexpr int64_t kSize = at::vec::Vectorized<T>::size();
  T lanes[kSize];
  v.store(lanes);
  double sums[kSize];
  for (int64_t i = 0; i < kSize; ++i) {
    sums[i] = lanes[i];
  }
  for (int64_t half = kSize / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) {
      sums[i] += sums[i + half];
    }
  }
  return sums[0];
}

/// Adds the sums of one row to sums[3].
template <class T, Region::Form F, bool Ignores>
void region_row_sums(const T* p, const T* g, int64_t m, T ignored, double* sums) {
  using V = at::vec::Vectorized<T>;
  const V none(ignored), zero(0);
  // Short runs of vector sums, joined in double: as exact as a cascade, whatever the length.
  for (int64_t begin = 0; begin < m; begin += 32 * V::size()) {
    V overlap(0), ps(0), gs(0);
    by_vector<V::size()>(begin, std::min(m, begin + 32 * V::size()), [&](int64_t i, int64_t count) {
      // Past the end of a row the vectors hold zeros, which add nothing.
      V vp = load(p + i, count), vg = load(g + i, count);
      if (count < V::size()) {
        vp = V::set(zero, vp, count);
        vg = V::set(zero, vg, count);
      }
      if (Ignores) {
        const V out = vg == none;
        vp = V::blendv(vp, zero, out);
        vg = V::blendv(vg, zero, out);
      }
      if constexpr (F == Region::kMinimum) {
        overlap = overlap + at::vec::minimum(vp, vg);
      } else {
        overlap = at::vec::fmadd(vp, vg, overlap);
      }
      if constexpr (F == Region::kSquare) {
        ps = at::vec::fmadd(vp, vp, ps);
        gs = at::vec::fmadd(vg, vg, gs);
      } else {
        ps = ps + vp;
        gs = gs + vg;
      }
    });
    sums[0] += lane_sum<T>(overlap);
    sums[1] += lane_sum<T>(ps);
    sums[2] += lane_sum<T>(gs);
  }
}

/// dl/dp and dl/dg of one row, either left out where null.
///   product   s0 g + s1           s0 p + s2
///   square    s0 g + 2 s1 p       s0 p + 2 s2 g
///   minimum   s0 [p < g] + s1     s0 [g < p] + s2    ([.] is one half at a tie)
template <class T, Region::Form F, bool Ignores>
void region_row_slopes(const T* p, const T* g, int64_t m, T ignored, const double* slopes, T* dp,
                       T* dg) {
  using V = at::vec::Vectorized<T>;
  const T factor = F == Region::kSquare ? 2 : 1;
  const V none(ignored), zero(0), one(1), half(T(0.5));
  const V s0(static_cast<T>(slopes[0])), s1(factor * static_cast<T>(slopes[1])),
      s2(factor * static_cast<T>(slopes[2]));
  by_vector<V::size()>(0, m, [&](int64_t i, int64_t count) {
    const V vp = load(p + i, count), vg = load(g + i, count);
    const auto side = [&](const V& mine, const V& other, const V& s) {
      V d;
      if constexpr (F == Region::kProduct) {
        d = at::vec::fmadd(s0, other, s);
      } else if constexpr (F == Region::kSquare) {
        d = at::vec::fmadd(s0, other, s * mine);
      } else {
        const V below = V::blendv(V::blendv(zero, half, mine == other), one, mine < other);
        d = at::vec::fmadd(s0, below, s);
      }
      return Ignores ? V::blendv(d, zero, vg == none) : d;
    };
    if (dp != nullptr) {
      side(vp, vg, s1).store(dp + i, count);
    }
    if (dg != nullptr) {
      side(vg, vp, s2).store(dg + i, count);
    }
  });
}

template <class T, Region::Form F, bool Ignores>
void region_sums_loop(Region& a) {
  const RegionCut cut(a);
  const int64_t row = 3 * a.channels;
  std::vector<double> partial;
  double* sums = a.sums;
  if (cut.per_sample > 1) {
    partial.resize(cut.units * row);
    sums = partial.data();
  }
  std::mutex mutex;
  int64_t bad_unit = cut.units;
  at::parallel_for(0, cut.units, cut.grain, [&](int64_t first, int64_t last) {
    RegionTile<T> tile(a, cut.tile);
    for (int64_t u = first; u < last; ++u) {
      const int64_t n = u / cut.per_sample, begin = u % cut.per_sample * cut.unit;
      const int64_t end = std::min(a.pixels, begin + cut.unit);
      double* mine = sums + u * row;
      std::fill(mine, mine + row, 0.0);
      for (int64_t s = begin; s < end; s += cut.tile) {
        const int64_t m = std::min(cut.tile, end - s);
        tile.enter(n, s, m);
        for (int64_t c = 0; c < a.channels; ++c) {
          if (a.kept == nullptr || a.kept[c] != 0) {
            region_row_sums<T, F, Ignores>(tile.p(c), tile.g(c), m, tile.ignored(), mine + 3 * c);
          }
        }
      }
      if (tile.bad()) {
        std::lock_guard<std::mutex> lock(mutex);
        if (u < bad_unit) {
          bad_unit = u;
          a.bad = true;
          a.bad_index = tile.bad_index();
        }
        return;
      }
    }
  });
  if (cut.per_sample > 1) {
    std::fill(a.sums, a.sums + a.samples * row, 0.0);
    for (int64_t u = 0; u < cut.units; ++u) {
      double* out = a.sums + u / cut.per_sample * row;
      for (int64_t k = 0; k < row; ++k) {
        out[k] += sums[u * row + k];
      }
    }
  }
}

/// The derivative by x from the derivative by p.
template <class T>
void region_through_sigmoid(const T* p, T* d, int64_t m) {
  using V = at::vec::Vectorized<T>;
  by_vector<V::size()>(0, m, [&](int64_t i, int64_t count) {
    const V vp = load(p + i, count);
    (load(d + i, count) * (V(1) - vp) * vp).store(d + i, count);
  });
}

template <class T>
void region_through_softmax(const RegionTile<T>& tile, T* d, int64_t ldd, int64_t m,
                            int64_t channels) {
  using V = at::vec::Vectorized<T>;
  by_vector<V::size()>(0, m, [&](int64_t i, int64_t count) {
    V dot(0);
    for (int64_t c = 0; c < channels; ++c) {
      dot = at::vec::fmadd(load(tile.p(c) + i, count), load(d + c * ldd + i, count), dot);
    }
    for (int64_t c = 0; c < channels; ++c) {
      T* out = d + c * ldd + i;
      (load(tile.p(c) + i, count) * (load(out, count) - dot)).store(out, count);
    }
  });
}

template <class T, Region::Form F, bool Ignores>
void region_slopes_loop(Region& a) {
  const RegionCut cut(a);
  const auto target_of = [](const Region::Map& map, int64_t n, int64_t begin) -> T* {
    return static_cast<T*>(const_cast<void*>(map.data)) + n * map.sample + begin;
  };
  at::parallel_for(0, cut.units, cut.grain, [&](int64_t first, int64_t last) {
    RegionTile<T> tile(a, cut.tile);
    // Rows go straight to their place, or by a tile where the pixels of a channel lie apart.
    const bool x_wanted = a.dx.data != nullptr, t_wanted = a.dt.data != nullptr;
    std::vector<T> x_tile(x_wanted && a.dx.pixel != 1 ? a.channels * cut.tile : 0);
    std::vector<T> t_tile(t_wanted && a.dt.pixel != 1 ? a.channels * cut.tile : 0);
    for (int64_t u = first; u < last; ++u) {
      const int64_t n = u / cut.per_sample, begin = u % cut.per_sample * cut.unit;
      const int64_t end = std::min(a.pixels, begin + cut.unit);
      const double* slopes = a.slopes + (a.shared_slopes ? 0 : n * a.channels * 3);
      for (int64_t s = begin; s < end; s += cut.tile) {
        const int64_t m = std::min(cut.tile, end - s);
        tile.enter(n, s, m);
        T* dx = !x_wanted ? nullptr : x_tile.empty() ? target_of(a.dx, n, s) : x_tile.data();
        T* dt = !t_wanted ? nullptr : t_tile.empty() ? target_of(a.dt, n, s) : t_tile.data();
        const int64_t ldx = x_tile.empty() ? a.dx.channel : cut.tile;
        const int64_t ldt = t_tile.empty() ? a.dt.channel : cut.tile;
        for (int64_t c = 0; c < a.channels; ++c) {
          T* dp = dx == nullptr ? nullptr : dx + c * ldx;
          T* dg = dt == nullptr ? nullptr : dt + c * ldt;
          if (a.kept != nullptr && a.kept[c] == 0) {
            dp == nullptr ? void() : std::fill(dp, dp + m, T(0));
            dg == nullptr ? void() : std::fill(dg, dg + m, T(0));
            continue;
          }
          region_row_slopes<T, F, Ignores>(tile.p(c), tile.g(c), m, tile.ignored(), slopes + 3 * c,
                                           dp, dg);
          if (dp != nullptr && a.activation == Region::kSigmoid) {
            region_through_sigmoid(tile.p(c), dp, m);
          }
        }
        if (dx != nullptr && a.activation == Region::kSoftmax) {
          region_through_softmax(tile, dx, ldx, m, a.channels);
        }
        if (!x_tile.empty()) {
          from_planes(dx, ldx, a.dx, n, s, m, a.channels);
        }
        if (!t_tile.empty()) {
          from_planes(dt, ldt, a.dt, n, s, m, a.channels);
        }
      }
    }
  });
}

template <class T, bool Ignores>
void region_pass(Region& a) {
  const bool first = a.slopes == nullptr;
  switch (a.form) {
    case Region::kProduct:
      first ? region_sums_loop<T, Region::kProduct, Ignores>(a)
            : region_slopes_loop<T, Region::kProduct, Ignores>(a);
      break;
    case Region::kSquare:
      first ? region_sums_loop<T, Region::kSquare, Ignores>(a)
            : region_slopes_loop<T, Region::kSquare, Ignores>(a);
      break;
    case Region::kMinimum:
      first ? region_sums_loop<T, Region::kMinimum, Ignores>(a)
            : region_slopes_loop<T, Region::kMinimum, Ignores>(a);
      break;
  }
}

}  // namespace region_loops

/// One pass: the sums, or with slopes the gradients.
inline void region(Region& a) {
  using region_loops::region_pass;
  if (a.samples == 0 || a.channels == 0 || a.pixels == 0) {
    return;
  }
  if (a.is_double) {
    a.ignores ? region_pass<double, true>(a) : region_pass<double, false>(a);
  } else {
    a.ignores ? region_pass<float, true>(a) : region_pass<float, false>(a);
  }
}

}  // namespace CPU_CAPABILITY
}  // namespace jloss
#endif

namespace jloss {
// Of the kernel passes only kernels/region.cpp includes this file.
JLOSS_KERNEL(region_kernel, Region, region)
}  // namespace jloss
