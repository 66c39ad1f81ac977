// The region loop: a few sums of every (sample, class) region of a segmentation map in one pass,
// and the gradient that follows from those sums in a second.
#pragma once

#include <cstdint>

#include "kernels/capability.h"
#include "kernels/exp.h"
#include "kernels/stream.h"

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
  int64_t first = 0;  // the sample to begin with
  int64_t samples = 0, channels = 0, pixels = 0;
  int64_t numel = 0;              // of the whole map, of which these samples may be a part
  Map x, t;                       // t.channel is not read for class indices
  bool flat = false;              // x and t (unless indices) lie as (pixel, channel), no gaps
  const uint8_t* kept = nullptr;  // channels that take part; all where null
  bool ignores = false;           // elements whose target is `ignored` take no part
  int64_t ignored = 0;
  double* sums = nullptr;  // (samples, channels, 3): overlap, sum of p, sum of g
  // Second pass: the slopes of the loss by those sums, and where the gradients go.
  const double* slopes = nullptr;  // as sums
  bool shared_slopes = false;      // one sample of slopes for all
  Map dx, dt;
  bool keeps = false;  // dx.data holds the probabilities between the passes
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
#include <numeric>
#include <type_traits>
#include <vector>

namespace jloss {
inline namespace CPU_CAPABILITY {
namespace region_loops {

/// How the work is cut: units of fixed size, each with its own partial sums, give the same bits to
/// any number of threads. A unit is a run of pixels with all channels, gone through by tiles whose
/// channels fit the cache, or, where channels need not meet, a run of pixels of one channel.
struct RegionCut {
  bool by_channel;
  int64_t width;  // channels of a unit
  int64_t tile, unit, per_row, units, grain;

  explicit RegionCut(const Region& a) {
    const bool planes = a.x.pixel == 1 && (a.target == Region::kClassIndex || a.t.pixel == 1);
    by_channel = planes && a.pixels >= 512 && a.activation != Region::kSoftmax &&
                 a.target != Region::kClassIndex;
    width = by_channel ? 1 : a.channels;
    // Without planes of its own a tile may be long, which memory prefers.
    const bool light = planes && a.activation != Region::kSoftmax;
    tile = light ? 1024 : std::clamp<int64_t>(kTile / width, 64, 1024) / 64 * 64;
    unit = std::max<int64_t>(16384 / width, 1);
    unit = (unit + tile - 1) / tile * tile;
    per_row = (a.pixels + unit - 1) / unit;
    units = a.samples * (a.channels / width) * per_row;
    grain = std::max<int64_t>(1, 32768 / (std::min(unit, a.pixels) * width));
  }

  static constexpr int64_t kTile = 4096;
};

/// Where a unit lies.
struct RegionUnit {
  int64_t row;      // of sums: (sample, channel) or sample
  int64_t sample;   // from the first of this call on
  int64_t channel;  // the first
  int64_t begin, end;

  RegionUnit(const Region& a, const RegionCut& cut, int64_t u) {
    const int64_t widths = a.channels / cut.width;
    row = u / cut.per_row;
    sample = row / widths;
    channel = row % widths * cut.width;
    begin = u % cut.per_row * cut.unit;
    end = std::min(a.pixels, begin + cut.unit);
  }
};

/// out[j * ld_out + i] = in[i * ld_in + j] for i < rows, j < columns.
template <class T>
void transpose(const T* in, int64_t ld_in, T* out, int64_t ld_out, int64_t rows, int64_t columns) {
  if constexpr (std::is_same_v<T, float> && at::vec::Vectorized<T>::size() == 16) {
    at::vec::transpose_mxn<T>(in, ld_in, out, ld_out, static_cast<int>(rows),
                              static_cast<int>(columns));
    return;
  }
  for (int64_t i = 0; i < rows; i += 8) {
    for (int64_t j = 0; j < columns; j += 8) {
      const int64_t m = std::min<int64_t>(8, rows - i), n = std::min<int64_t>(8, columns - j);
      const T* from = in + i * ld_in + j;
      T* to = out + j * ld_out + i;
      if (m == 8 && n == 8) {
        at::vec::transpose_mxn<T, 8, 8>(from, ld_in, to, ld_out);
      } else {
        for (int64_t k = 0; k < m * n; ++k) {
          to[k % n * ld_out + k / n] = from[k / n * ld_in + k % n];
        }
      }
    }
  }
}

/// Channels of a tile, one after the other, from a map of any layout.
template <class From, class To>
void to_planes(const Region::Map& map, int64_t n, int64_t begin, int64_t m, int64_t channels,
               To* out, int64_t ld) {
  const From* in = static_cast<const From*>(map.data) + n * map.sample + begin * map.pixel;
  if constexpr (std::is_same_v<From, To>) {
    if (map.channel == 1) {
      transpose(in, map.pixel, out, ld, m, channels);
      return;
    }
  }
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t i = 0; i < m; ++i) {
      out[c * ld + i] = static_cast<To>(in[i * map.pixel + c * map.channel]);
    }
  }
}

template <class T>
T* place_in(const Region::Map& map, int64_t n, int64_t begin) {
  return static_cast<T*>(const_cast<void*>(map.data)) + n * map.sample + begin * map.pixel;
}

template <class T>
void from_planes(const T* in, int64_t ld, const Region::Map& map, int64_t n, int64_t begin,
                 int64_t m, int64_t channels) {
  T* out = place_in<T>(map, n, begin);
  if (map.channel == 1) {
    transpose(in, ld, out, map.pixel, channels, m);
    return;
  }
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
  return one / (one + jloss::exp(x.neg()));
}

/// The tile a thread works on: probabilities and targets as a row of pixels a channel, or, where
/// the map is flat, as one row of all its elements.
template <class T>
class RegionTile {
 public:
  using V = at::vec::Vectorized<T>;

  /// first: the pass that makes the sums (and the probabilities to keep).
  RegionTile(const Region& a, const RegionCut& cut, bool first)
      : a_(a), tile_(cut.tile), width_(cut.width), first_(first) {
    const int64_t tile = cut.tile;
    const bool activates = a.activation != Region::kIdentity && !(a.keeps && !first);
    if (activates ? !a.keeps || a.x.pixel != 1 : a.x.pixel != 1 && !a.flat) {
      p_.resize(width_ * tile);
    }
    if (a.target == Region::kClassIndex) {
      index_.resize(tile);
      g_.resize(a.flat ? width_ * tile : tile);
    } else if (a.target == Region::kIntegerMap || (a.t.pixel != 1 && !a.flat)) {
      g_.resize(width_ * tile);
    }
  }

  /// Goes to pixels [begin, begin + m) of sample n, from the channel on.
  void enter(int64_t n, int64_t channel, int64_t begin, int64_t m) {
    m_ = m;
    enter_input(n, channel, begin);
    if (a_.target == Region::kClassIndex) {
      enter_indices(n, begin);
    } else {
      enter_target(n, channel, begin);
    }
  }

  const T* p(int64_t c) const {
    return x_ + c * ldx_;
  }

  const T* g(int64_t c) {
    if (a_.target != Region::kClassIndex || a_.flat) {
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
  void enter_input(int64_t n, int64_t channel, int64_t begin) {
    // Kept probabilities lie in the memory of the tile's gradients, but always as planes
    // (as they are, where the map is flat).
    T* kept = nullptr;
    int64_t ld = 0;
    if (a_.keeps) {
      kept = place_in<T>(a_.dx, n, begin) + channel * a_.dx.channel;
      ld = a_.dx.pixel == 1 ? a_.dx.channel : m_;
      if (!first_) {
        x_ = kept;
        ldx_ = ld;
        return;
      }
    }
    if (a_.x.pixel == 1 || a_.flat) {
      x_ = place_in<T>(a_.x, n, begin) + channel * a_.x.channel;
      ldx_ = a_.x.channel;
    } else {
      to_planes<T>(a_.x, n, begin, m_, a_.channels, p_.data(), tile_);
      x_ = p_.data();
      ldx_ = tile_;
    }
    if (a_.activation == Region::kIdentity) {
      return;
    }
    T* out = kept != nullptr ? kept : p_.data();
    ld = kept != nullptr ? ld : tile_;
    if (a_.activation == Region::kSoftmax) {
      by_vector<V::size()>(0, m_, [&](int64_t i, int64_t count) { softmax(i, count, out, ld); });
    } else {
      const int64_t rows = a_.flat ? 1 : width_, length = a_.flat ? m_ * a_.channels : m_;
      for (int64_t c = 0; c < rows; ++c) {
        by_vector<V::size()>(0, length, [&](int64_t i, int64_t count) {
          sigmoid(load(x_ + c * ldx_ + i, count)).store(out + c * ld + i, count);
        });
      }
    }
    x_ = out;
    ldx_ = ld;
  }

  void softmax(int64_t i, int64_t count, T* out, int64_t ld) {
    V top = load(x_ + i, count);
    for (int64_t c = 1; c < a_.channels; ++c) {
      top = at::vec::maximum(top, load(x_ + c * ldx_ + i, count));
    }
    V sum(0);
    for (int64_t c = 0; c < a_.channels; ++c) {
      const V e = jloss::exp(load(x_ + c * ldx_ + i, count) - top);
      sum = sum + e;
      e.store(out + c * ld + i, count);
    }
    [[maybe_unused]] const V scale = V(1) / sum;
    for (int64_t c = 0; c < a_.channels; ++c) {
      T* p = out + c * ld + i;
      const V e = load(p, count);
#ifdef CPU_CAPABILITY_DEFAULT
      (e / sum).store(p, count);
#else
      // e / sum to the last bit, without a division an element; this takes a fused fnmadd.
      const V q = e * scale;
      at::vec::fmadd(at::vec::fnmadd(q, sum, e), scale, q).store(p, count);
#endif
    }
  }

  void enter_target(int64_t n, int64_t channel, int64_t begin) {
    if (a_.target == Region::kMap && (a_.t.pixel == 1 || a_.flat)) {
      t_ = place_in<T>(a_.t, n, begin) + channel * a_.t.channel;
      ldt_ = a_.t.channel;
      return;
    }
    if (a_.flat) {
      const int64_t* in = place_in<int64_t>(a_.t, n, begin);
      std::transform(in, in + m_ * a_.channels, g_.data(),
                     [](int64_t v) { return static_cast<T>(v); });
    } else if (a_.target == Region::kIntegerMap && width_ == 1) {
      const int64_t* in = place_in<int64_t>(a_.t, n, begin) + channel * a_.t.channel;
      for (int64_t i = 0; i < m_; ++i) {
        g_[i] = static_cast<T>(in[i * a_.t.pixel]);
      }
    } else if (a_.target == Region::kMap) {
      to_planes<T>(a_.t, n, begin, m_, a_.channels, g_.data(), tile_);
    } else {
      to_planes<int64_t>(a_.t, n, begin, m_, a_.channels, g_.data(), tile_);
    }
    t_ = g_.data();
    ldt_ = tile_;
  }

  void enter_indices(int64_t n, int64_t begin) {
    const int64_t* in = place_in<int64_t>(a_.t, n, begin);
    for (int64_t i = 0; i < m_; ++i) {
      int64_t index = in[i * a_.t.pixel];
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
    if (!a_.flat) {
      return;
    }
    std::fill(g_.data(), g_.data() + m_ * a_.channels, T(0));
    for (int64_t i = 0; i < m_; ++i) {
      T* row = g_.data() + i * a_.channels;
      if (index_[i] < 0) {
        std::fill(row, row + a_.channels, T(-1));
      } else {
        row[static_cast<int64_t>(index_[i])] = 1;
      }
    }
    t_ = g_.data();
  }

  const Region& a_;
  const int64_t tile_, width_;
  const bool first_;
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

/// What one vector adds to the sums.
template <class T, Region::Form F, bool Ignores>
inline void accumulate(at::vec::Vectorized<T> p, at::vec::Vectorized<T> g,
                       at::vec::Vectorized<T> ignored, at::vec::Vectorized<T>& overlap,
                       at::vec::Vectorized<T>& ps, at::vec::Vectorized<T>& gs) {
  using V = at::vec::Vectorized<T>;
  if constexpr (Ignores) {
    const V out = g == ignored;
    p = V::blendv(p, V(0), out);
    g = V::blendv(g, V(0), out);
  }
  if constexpr (F == Region::kMinimum) {
    overlap = overlap + at::vec::minimum(p, g);
  } else {
    overlap = at::vec::fmadd(p, g, overlap);
  }
  if constexpr (F == Region::kSquare) {
    ps = at::vec::fmadd(p, p, ps);
    gs = at::vec::fmadd(g, g, gs);
  } else {
    ps = ps + p;
    gs = gs + g;
  }
}

/// A vector whose lanes from `count` on are 0, which adds nothing.
template <class T>
inline at::vec::Vectorized<T> load_or_zero(const T* from, int64_t count) {
  using V = at::vec::Vectorized<T>;
  return count == V::size() ? V::loadu(from) : V::set(V(0), V::loadu(from, count), count);
}

/// Adds the sums of one row to sums[3].
template <class T, Region::Form F, bool Ignores>
void row_sums(const T* p, const T* g, int64_t m, T ignored, double* sums) {
  using V = at::vec::Vectorized<T>;
  const V none(ignored);
  // Short runs of vector sums, joined in double: as exact as a cascade, whatever the length.
  for (int64_t begin = 0; begin < m; begin += 32 * V::size()) {
    V overlap(0), ps(0), gs(0);
    const int64_t end = std::min(m, begin + 32 * V::size());
    by_vector<V::size()>(begin, end, [&](int64_t i, int64_t count) {
      accumulate<T, F, Ignores>(load_or_zero(p + i, count), load_or_zero(g + i, count), none,
                                overlap, ps, gs);
    });
    sums[0] += lane_sum<T>(overlap);
    sums[1] += lane_sum<T>(ps);
    sums[2] += lane_sum<T>(gs);
  }
}

/// Flat maps repeat a pattern of channels: the vectors of one period, which begins with channel 0.
template <class T>
int64_t flat_period(int64_t channels) {
  constexpr int64_t kSize = at::vec::Vectorized<T>::size();
  int64_t period = std::lcm(channels, kSize);
  while (period < 4 * kSize) {  // more sums under way than one addition takes
    period *= 2;
  }
  return period;
}

/// Adds the sums of a flat row of whole pixels to sums[channels][3]; acc holds three periods.
template <class T, Region::Form F, bool Ignores>
void flat_sums(const T* p, const T* g, int64_t length, int64_t channels, T ignored,
               std::vector<T>& acc, double* sums) {
  using V = at::vec::Vectorized<T>;
  const V none(ignored);
  const int64_t period = static_cast<int64_t>(acc.size()) / 3;
  T* const overlap = acc.data();
  T* const ps = overlap + period;
  T* const gs = ps + period;
  for (int64_t begin = 0; begin < length; begin += 32 * period) {
    const int64_t end = std::min(length, begin + 32 * period);
    std::fill(acc.begin(), acc.end(), T(0));
    for (int64_t row = begin; row < end; row += period) {
      by_vector<V::size()>(0, std::min(period, end - row), [&](int64_t j, int64_t count) {
        V o = V::loadu(overlap + j), x = V::loadu(ps + j), t = V::loadu(gs + j);
        accumulate<T, F, Ignores>(load_or_zero(p + row + j, count),
                                  load_or_zero(g + row + j, count), none, o, x, t);
        o.store(overlap + j);
        x.store(ps + j);
        t.store(gs + j);
      });
    }
    for (int64_t j = 0, c = 0; j < period; ++j) {
      sums[3 * c] += overlap[j];
      sums[3 * c + 1] += ps[j];
      sums[3 * c + 2] += gs[j];
      c = c + 1 == channels ? 0 : c + 1;
    }
  }
}

/// The derivative of one side from the slopes s0 (of the overlap) and s (of the side's own sum):
///   product  s0 other + s      square  s0 other + 2 s mine
///   minimum  s0 [mine < other] + s, where [.] is one half at a tie
template <class T, Region::Form F>
inline at::vec::Vectorized<T> side_slope(at::vec::Vectorized<T> mine, at::vec::Vectorized<T> other,
                                         at::vec::Vectorized<T> s0, at::vec::Vectorized<T> s) {
  using V = at::vec::Vectorized<T>;
  if constexpr (F == Region::kProduct) {
    return at::vec::fmadd(s0, other, s);
  } else if constexpr (F == Region::kSquare) {
    return at::vec::fmadd(s0, other, (s + s) * mine);
  } else {
    const V tie = V::blendv(V(0), V(T(0.5)), mine == other);
    return at::vec::fmadd(s0, V::blendv(tie, V(1), mine < other), s);
  }
}

/// Where the slopes of one vector lie, and what its gradients go through.
template <class T>
struct SlopeRow {
  const T* p;
  const T* g;
  Output<T> dp;  // may be p
  Output<T> dg;
  bool sigmoid;  // dp is the derivative by the score
  T ignored;
};

template <class T, Region::Form F, bool Ignores>
inline void slope_vector(const SlopeRow<T>& r, int64_t i, int64_t count, at::vec::Vectorized<T> s0,
                         at::vec::Vectorized<T> s1, at::vec::Vectorized<T> s2) {
  using V = at::vec::Vectorized<T>;
  const V g = load(r.g + i, count);
  // Memory bounds this pass: a product's own slope needs the other side alone.
  const bool alone = F == Region::kProduct && !r.sigmoid && !r.dg.wanted();
  const V p = alone ? g : load(r.p + i, count);
  const auto unless_ignored = [&](const V& d) {
    return Ignores ? V::blendv(d, V(0), g == V(r.ignored)) : d;
  };
  if (r.dp.wanted()) {
    V d = unless_ignored(side_slope<T, F>(p, g, s0, s1));
    if (r.sigmoid) {
      d = d * (V(1) - p) * p;
    }
    r.dp.store(d, i, count);
  }
  if (r.dg.wanted()) {
    r.dg.store(unless_ignored(side_slope<T, F>(g, p, s0, s2)), i, count);
  }
}

template <class T, Region::Form F, bool Ignores>
void row_slopes(const SlopeRow<T>& r, int64_t m, const double* slopes) {
  using V = at::vec::Vectorized<T>;
  const V s0(static_cast<T>(slopes[0])), s1(static_cast<T>(slopes[1])),
      s2(static_cast<T>(slopes[2]));
  by_vector<V::size()>(0, m, [&](int64_t i, int64_t count) {
    slope_vector<T, F, Ignores>(r, i, count, s0, s1, s2);
  });
}

/// The same on a flat row; pattern holds three periods of slopes.
template <class T, Region::Form F, bool Ignores>
void flat_slopes(const SlopeRow<T>& r, int64_t length, const std::vector<T>& pattern) {
  using V = at::vec::Vectorized<T>;
  const int64_t period = static_cast<int64_t>(pattern.size()) / 3;
  const T* s = pattern.data();
  for (int64_t row = 0; row < length; row += period) {
    by_vector<V::size()>(0, std::min(period, length - row), [&](int64_t j, int64_t count) {
      slope_vector<T, F, Ignores>(r, row + j, count, V::loadu(s + j), V::loadu(s + period + j),
                                  V::loadu(s + 2 * period + j));
    });
  }
}

template <class T, Region::Form F, bool Ignores>
void sums_loop(Region& a) {
  const RegionCut cut(a);
  const int64_t row = 3 * cut.width;
  std::vector<double> partial;
  double* sums = a.sums;
  if (cut.per_row > 1) {
    partial.resize(cut.units * row);
    sums = partial.data();
  }
  std::mutex mutex;
  int64_t bad_unit = cut.units;
  at::parallel_for(0, cut.units, cut.grain, [&](int64_t first, int64_t last) {
    RegionTile<T> tile(a, cut, true);
    std::vector<T> acc(a.flat ? 3 * flat_period<T>(a.channels) : 0);
    for (int64_t u = first; u < last; ++u) {
      const RegionUnit unit(a, cut, u);
      double* mine = sums + u * row;
      std::fill(mine, mine + row, 0.0);
      for (int64_t s = unit.begin; s < unit.end; s += cut.tile) {
        const int64_t m = std::min(cut.tile, unit.end - s);
        tile.enter(a.first + unit.sample, unit.channel, s, m);
        if (a.flat) {
          flat_sums<T, F, Ignores>(tile.p(0), tile.g(0), m * a.channels, a.channels, tile.ignored(),
                                   acc, mine);
          continue;
        }
        for (int64_t c = 0; c < cut.width; ++c) {
          if (a.kept == nullptr || a.kept[unit.channel + c] != 0) {
            row_sums<T, F, Ignores>(tile.p(c), tile.g(c), m, tile.ignored(), mine + 3 * c);
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
  if (cut.per_row > 1) {
    std::fill(a.sums, a.sums + a.samples * a.channels * 3, 0.0);
    for (int64_t u = 0; u < cut.units; ++u) {
      double* out = a.sums + u / cut.per_row * row;
      for (int64_t k = 0; k < row; ++k) {
        out[k] += sums[u * row + k];
      }
    }
  }
}

/// d, the derivatives by p, become those by the scores: p (d - sum of p d), written to out, which
/// may be p or d.
template <class T>
void through_softmax(const RegionTile<T>& tile, const T* d, int64_t ldd, T* out, int64_t ld,
                     int64_t m, int64_t channels) {
  using V = at::vec::Vectorized<T>;
  by_vector<V::size()>(0, m, [&](int64_t i, int64_t count) {
    V dot(0);
    for (int64_t c = 0; c < channels; ++c) {
      dot = at::vec::fmadd(load(tile.p(c) + i, count), load(d + c * ldd + i, count), dot);
    }
    for (int64_t c = 0; c < channels; ++c) {
      (load(tile.p(c) + i, count) * (load(d + c * ldd + i, count) - dot))
          .store(out + c * ld + i, count);
    }
  });
}

/// The slopes of a unit as the pattern of a flat map.
template <class T>
void fill_pattern(const double* slopes, int64_t channels, std::vector<T>& pattern) {
  const int64_t period = static_cast<int64_t>(pattern.size()) / 3;
  for (int64_t j = 0, c = 0; j < period; ++j) {
    for (int64_t k = 0; k < 3; ++k) {
      pattern[k * period + j] = static_cast<T>(slopes[3 * c + k]);
    }
    c = c + 1 == channels ? 0 : c + 1;
  }
}

template <class T, Region::Form F, bool Ignores>
void slopes_loop(Region& a) {
  const RegionCut cut(a);
  at::parallel_for(0, cut.units, cut.grain, [&](int64_t first, int64_t last) {
    RegionTile<T> tile(a, cut, false);
    const bool x_wanted = a.dx.data != nullptr, t_wanted = a.dt.data != nullptr;
    const bool softmax = x_wanted && a.activation == Region::kSoftmax;
    // Rows go straight to their place, or by a tile: where the pixels of a channel lie apart, and
    // for the softmax, which needs all channels first.
    const bool x_apart = x_wanted && !a.flat && a.dx.pixel != 1;
    const bool t_apart = t_wanted && !a.flat && a.dt.pixel != 1;
    std::vector<T> x_tile(x_apart || softmax ? cut.width * cut.tile : 0);
    std::vector<T> t_tile(t_apart ? cut.width * cut.tile : 0);
    std::vector<T> pattern(a.flat ? 3 * flat_period<T>(a.channels) : 0);
    // Probabilities and tiles are read again.
    const bool large = Output<T>::is_large(a.numel);
    const bool x_last = large && x_tile.empty() && !a.keeps, t_last = large && !t_apart;
    // Backwards: what the first pass read last is still in the cache.
    for (int64_t u = last - 1; u >= first; --u) {
      const RegionUnit unit(a, cut, u);
      const int64_t n = a.first + unit.sample;
      const double* slopes =
          a.slopes + 3 * ((a.shared_slopes ? 0 : unit.sample * a.channels) + unit.channel);
      fill_pattern(slopes, a.channels, pattern);
      for (int64_t s = unit.begin; s < unit.end; s += cut.tile) {
        const int64_t m = std::min(cut.tile, unit.end - s);
        tile.enter(n, unit.channel, s, m);
        const auto place = [&](const Region::Map& map, std::vector<T>& apart) -> T* {
          return map.data == nullptr ? nullptr
                 : !apart.empty()    ? apart.data()
                                     : place_in<T>(map, n, s) + unit.channel * map.channel;
        };
        T* dx = place(a.dx, x_tile);
        T* dt = place(a.dt, t_tile);
        const auto row = [&](int64_t c, T* dp, T* dg) {
          return SlopeRow<T>{tile.p(c),
                             tile.g(c),
                             Output<T>(dp, 0, x_last),
                             Output<T>(dg, 0, t_last),
                             a.activation == Region::kSigmoid,
                             tile.ignored()};
        };
        if (a.flat) {
          flat_slopes<T, F, Ignores>(row(0, dx, dt), m * a.channels, pattern);
          continue;
        }
        const int64_t ldx = x_tile.empty() ? a.dx.channel : cut.tile;
        const int64_t ldt = t_tile.empty() ? a.dt.channel : cut.tile;
        for (int64_t c = 0; c < cut.width; ++c) {
          T* dp = dx == nullptr ? nullptr : dx + c * ldx;
          T* dg = dt == nullptr ? nullptr : dt + c * ldt;
          if (a.kept != nullptr && a.kept[unit.channel + c] == 0) {
            dp == nullptr ? void() : std::fill(dp, dp + m, T(0));
            dg == nullptr ? void() : std::fill(dg, dg + m, T(0));
            continue;
          }
          row_slopes<T, F, Ignores>(row(c, dp, dg), m, slopes + 3 * c);
        }
        if (softmax) {
          T* out = x_apart ? dx : place_in<T>(a.dx, n, s);
          through_softmax(tile, dx, ldx, out, x_apart ? ldx : a.dx.channel, m, a.channels);
        }
        if (x_apart) {
          from_planes(dx, ldx, a.dx, n, s, m, a.channels);
        }
        if (t_apart) {
          from_planes(dt, ldt, a.dt, n, s, m, a.channels);
        }
      }
    }
    Output<T>::finish();
  });
}

template <class T, bool Ignores>
void region_pass(Region& a) {
  const bool first = a.slopes == nullptr;
  switch (a.form) {
    case Region::kProduct:
      first ? sums_loop<T, Region::kProduct, Ignores>(a)
            : slopes_loop<T, Region::kProduct, Ignores>(a);
      break;
    case Region::kSquare:
      first ? sums_loop<T, Region::kSquare, Ignores>(a)
            : slopes_loop<T, Region::kSquare, Ignores>(a);
      break;
    case Region::kMinimum:
      first ? sums_loop<T, Region::kMinimum, Ignores>(a)
            : slopes_loop<T, Region::kMinimum, Ignores>(a);
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
