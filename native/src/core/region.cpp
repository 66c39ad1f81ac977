#include "core/region.h"

#include <ATen/Parallel.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <numeric>

#include "core/layout.h"

namespace jloss {
namespace {

using at::Tensor;

// Elements of a sample that are worth a call of their own.
constexpr int64_t kLarge = 1 << 16;

/// Axes of a map that the loop takes for its pixels, with at most one each for sample and channel.
struct Axes {
  int64_t sample = -1, channel = -1;
  std::vector<int64_t> pixels;  // from the outermost in memory to the innermost
};

/// The axes left for pixels, in the memory order of x.
Axes axes_of(const Tensor& x, int64_t sample, int64_t channel) {
  Axes axes{sample, channel, {}};
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d != sample && d != channel && x.size(d) != 1) {
      axes.pixels.push_back(d);
    }
  }
  std::stable_sort(axes.pixels.begin(), axes.pixels.end(),
                   [&](int64_t a, int64_t b) { return x.stride(a) > x.stride(b); });
  return axes;
}

/// Do the pixels lie at even steps?
bool is_even(const Tensor& x, const Axes& axes) {
  for (size_t i = 0; i + 1 < axes.pixels.size(); ++i) {
    const int64_t outer = axes.pixels[i], inner = axes.pixels[i + 1];
    if (x.stride(outer) != x.stride(inner) * std::max<int64_t>(x.size(inner), 1)) {
      return false;
    }
  }
  return true;
}

/// x as (sample, channel, pixel), where its pixels lie at even steps and either they or its
/// channels are neighbours in memory.
std::optional<Region::Map> map_of(const Tensor& x, const Axes& axes) {
  Region::Map map{x.const_data_ptr()};
  map.sample = axes.sample < 0 ? 0 : x.stride(axes.sample);
  map.channel = axes.channel < 0 ? 0 : x.stride(axes.channel);
  if (!is_even(x, axes)) {
    return std::nullopt;
  }
  map.pixel = axes.pixels.empty() ? 1 : x.stride(axes.pixels.back());
  if (map.pixel != 1 && (axes.channel < 0 || map.channel != 1)) {
    return std::nullopt;
  }
  return map;
}

/// Memory for the gradient of x: its strides, or where those leave gaps the same order without.
Tensor empty_like_map(const Tensor& x, const Axes& axes, Region::Map& map) {
  std::vector<int64_t> strides = x.strides().vec();
  if (!x.is_non_overlapping_and_dense()) {
    auto order = axes.pixels;  // from the outermost to the innermost
    const bool planar = order.empty() || x.stride(order.back()) == 1;
    if (axes.channel >= 0) {
      order.insert(planar ? order.begin() : order.end(), axes.channel);
    }
    if (axes.sample >= 0) {
      order.insert(order.begin(), axes.sample);
    }
    int64_t step = 1;
    std::fill(strides.begin(), strides.end(), 1);
    for (auto d = order.rbegin(); d != order.rend(); ++d) {
      strides[*d] = step;
      step *= x.size(*d);
    }
  }
  auto made = empty_result(x.sizes(), strides, x.options());
  const auto found = map_of(made, axes);
  TORCH_INTERNAL_ASSERT(found.has_value());
  map = *found;
  map.data = made.mutable_data_ptr();
  return made;
}

/// A class-index target (N, *) as (sample, -, pixel); its pixels may lie at any even step.
std::optional<Region::Map> index_map_of(const Tensor& t, const Axes& axes) {
  const auto wide = t.unsqueeze(1);
  Region::Map map{t.const_data_ptr()};
  map.sample = axes.sample < 0 ? 0 : wide.stride(axes.sample);
  if (!is_even(wide, axes)) {
    return std::nullopt;
  }
  map.pixel = axes.pixels.empty() ? 1 : wide.stride(axes.pixels.back());
  return map;
}

/// Does the target hold class indices, without the class axis?
bool is_indices(const Tensor& input, const Tensor& target) {
  return target.dim() == input.dim() - 1;
}

/// Sums over the pixels of (N, C, *), and over N with batch: (N, C) or (1, C).
Tensor sum_pixels(const Tensor& x, bool batch) {
  const auto flat = x.dim() == 2 ? x.unsqueeze(2) : x.flatten(2);
  // A sum to a single number would depend on the number of threads.
  if (flat.is_cpu() && !flat.unsafeGetTensorImpl()->has_symbolic_sizes_strides() &&
      flat.size(1) == 1 && (batch || flat.size(0) == 1)) {
    return sum_all(flat).reshape({1, 1});
  }
  const auto rows = flat.sum(2);
  return batch ? rows.sum(0, /*keepdim=*/true) : rows;
}

/// The channels of x at `kept`.
Tensor select_channels(const Tensor& x, bool include_background, c10::IntArrayRef classes) {
  auto all = include_background ? x : x.slice(1, 1);
  if (classes.empty()) {
    return all;
  }
  std::vector<Tensor> parts;
  parts.reserve(classes.size());
  for (const int64_t c : classes) {
    parts.push_back(all.slice(1, c, c + 1));
  }
  return at::cat(parts, 1);
}

/// Indices that the formula alone would take for no class at all. Traced tensors have no values
/// to look at.
void check_indices(const char* loss, const Tensor& target, int64_t channels,
                   std::optional<int64_t> ignored) {
  if (!is_plain(target) || c10::impl::dispatch_mode_enabled()) {
    return;
  }
  auto outside = (target < 0).logical_or_(target >= channels);
  if (ignored.has_value()) {
    outside.logical_and_(target != *ignored);
  }
  if (outside.any().item<bool>()) {
    TORCH_CHECK_INDEX(false, loss, ": expected target in [0, ", channels, "), got ",
                      target.masked_select(outside)[0].item<int64_t>());
  }
}

}  // namespace

void RegionLoss::check(const Tensor& input, const Tensor& target, const Tensor& weight) const {
  const Arg x{name, "input", input}, t{name, "target", target}, w{name, "weight", weight};
  check_floating(x);
  TORCH_CHECK_VALUE(input.dim() >= 2, name, ": expected input of shape (N, C, *), got ",
                    input.sym_sizes());
  TORCH_CHECK_VALUE(input.sym_size(1) > 0, name, ": expected input with at least one class, got ",
                    input.sym_sizes());
  check_dense(t);
  const bool integral = target.scalar_type() == at::kLong;
  if (!integral) {
    TORCH_CHECK_TYPE(at::isFloatingType(target.scalar_type()), name,
                     ": expected target to be floating or Long, got ", target.scalar_type());
    check_like(t, x);
  } else {
    check_device(t, x);
  }
  if (target.dim() == input.dim() || mode == kMultilabel) {
    check_same_shape(t, x);
  } else {
    auto shape = input.sym_sizes().vec();
    const auto channels = shape[1];
    shape.erase(shape.begin() + 1);
    TORCH_CHECK_VALUE(target.sym_sizes() == c10::SymIntArrayRef(shape), name,
                      ": expected target of shape ", input.sym_sizes(), " as input, or ",
                      c10::SymIntArrayRef(shape), " without the class axis, got ",
                      target.sym_sizes());
    if (mode == kMulticlass) {
      TORCH_CHECK_TYPE(integral, name, ": expected target of class indices to be Long, got ",
                       target.scalar_type());
    } else {
      TORCH_CHECK_VALUE(channels == 1, name, ": expected target with a class axis, as input has ",
                        channels, " channels, got ", target.sym_sizes());
    }
  }
  if (!include_background) {
    TORCH_CHECK_VALUE(input.sym_size(1) > 1, name,
                      ": expected include_background=true for input of ", input.sym_size(1),
                      " channels, got false");
  }
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto channels = input.sym_size(1) - (include_background ? 0 : 1);
    TORCH_CHECK_VALUE(classes[i] >= 0 && channels > classes[i], name, ": expected classes in [0, ",
                      channels, "), got ", classes[i]);
    TORCH_CHECK_VALUE(
        std::find(classes.begin(), classes.begin() + i, classes[i]) == classes.begin() + i, name,
        ": expected distinct classes, got ", classes[i], " twice");
  }
  if (weight.defined()) {
    check_like(w, x);
    TORCH_CHECK_VALUE(weight.dim() == 1 && weight.sym_size(0) == input.sym_size(1), name,
                      ": expected weight of shape [", input.sym_size(1),
                      "], one entry a class, got ", weight.sym_sizes());
  }
  check_reduction(name, reduction);
}

Tensor RegionLoss::evaluate(const Tensor& input, const Tensor& target, const Tensor& weight,
                            Gradients* gradients) const {
  check(input, target, weight);
  // A binary target may come without its class axis of one.
  const bool widens = mode != kMulticlass && is_indices(input, target);
  const bool differs = target_differentiable && at::isFloatingType(target.scalar_type());
  return jloss::evaluate(
      {.name = name,
       .inputs = {input, widens ? target.unsqueeze(1) : target, weight},
       .differentiable = differs ? 0b011u : 0b001u,
       .principal = 0b001,
       .scalar = reduction != kNone || (batch && !value_by_class),
       .formula = [self = *this](at::TensorList in) { return self.composed(in); },
       .kernel = [self = *this](
                     at::TensorList in, const Tensor& upstream, uint32_t wanted,
                     Gradients& grads) { return self.fused(in, upstream, wanted, grads); }},
      gradients);
}

Tensor RegionLoss::composed(at::TensorList in) const {
  Tensor p = in[0], g = in[1], w = in[2], out;
  if (from_logits) {
    p = mode == kMulticlass ? p.softmax(1) : p.sigmoid();
  }
  if (is_indices(p, g)) {
    if (!p.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) {
      check_indices(name, g, p.size(1), ignore_index);
    }
    auto shape = std::vector<int64_t>(p.dim(), 1);
    shape[1] = -1;
    const auto index = g.unsqueeze(1);
    if (ignore_index.has_value()) {
      out = index == *ignore_index;
    }
    g = (index == at::arange(c10::Scalar(p.sym_size(1)), g.options()).view(shape)).to(p.dtype());
  } else {
    if (ignore_index.has_value()) {
      out = g == *ignore_index;
    }
    g = g.to(p.dtype());
  }
  if (out.defined()) {
    p = p.masked_fill(out, 0);
    g = g.masked_fill(out, 0);
  }
  p = select_channels(p, include_background, classes);
  g = select_channels(g, include_background, classes);
  if (w.defined()) {
    w = select_channels(w.unsqueeze(0), include_background, classes).squeeze(0);
  }
  auto value =
      formula(sum_pixels(soft_label && !squared ? at::minimum(p, g) : p * g, batch),
              sum_pixels(squared ? p * p : p, batch), sum_pixels(squared ? g * g : g, batch), w);
  if (batch) {
    value = value.squeeze(0);
  }
  return reduce(value, reduction);
}

Tensor RegionLoss::fused(at::TensorList in, const Tensor& upstream, uint32_t wanted,
                         Gradients& gradients) const {
  Tensor x = in[0], t = in[1];
  if (x.numel() == 0) {  // strides of nothing may be any, and contiguous() leaves them
    x = at::empty(x.sizes(), x.options());
    t = at::empty(t.sizes(), t.options());
  }
  const int64_t channels = x.size(1);
  const bool indices = is_indices(x, t);
  Region a;
  a.is_double = x.scalar_type() == at::kDouble;
  a.activation = !from_logits          ? Region::kIdentity
                 : mode == kMulticlass ? Region::kSoftmax
                                       : Region::kSigmoid;
  a.target = indices                        ? Region::kClassIndex
             : t.scalar_type() == at::kLong ? Region::kIntegerMap
                                            : Region::kMap;
  // min(p, g) is (p + g - |p - g|) / 2; with squares (p^2 + g^2 - (p - g)^2) / 2 is p g.
  a.form = squared ? Region::kSquare : soft_label ? Region::kMinimum : Region::kProduct;
  a.ignores = ignore_index.has_value();
  a.ignored = ignore_index.value_or(0);

  // The channels that take part, in the order of the values.
  std::vector<int64_t> kept = classes;
  if (kept.empty()) {
    kept.resize(channels - (include_background ? 0 : 1));
    std::iota(kept.begin(), kept.end(), 0);
  }
  std::vector<uint8_t> flags(channels, 0);
  for (auto& c : kept) {
    c += include_background ? 0 : 1;
    flags[c] = 1;
  }
  const bool all = static_cast<int64_t>(kept.size()) == channels;
  std::vector<double> weight;
  if (in[2].defined()) {
    const auto w = in[2].to(at::kDouble).contiguous();
    for (const int64_t c : kept) {
      weight.push_back(w.const_data_ptr<double>()[c]);
    }
  }

  // Axes that need no sums of their own are pixels as well, where memory allows.
  const bool joins =
      !by_class && all && weight.empty() && !indices && a.activation != Region::kSoftmax;
  std::vector<std::pair<int64_t, int64_t>> plans;
  if (joins && batch) {
    plans.emplace_back(-1, -1);
  }
  if (joins) {
    plans.emplace_back(0, -1);
  }
  if (batch) {
    plans.emplace_back(-1, 1);
  }
  plans.emplace_back(0, 1);
  Axes axes;
  const auto lay_out = [&] {
    for (const auto& [sample, channel] : plans) {
      axes = axes_of(x, sample, channel);
      const auto mx = map_of(x, axes);
      const auto mt = indices ? index_map_of(t, axes) : map_of(t, axes);
      if (mx.has_value() && mt.has_value()) {
        a.x = *mx;
        a.t = *mt;
        return true;
      }
    }
    return false;
  };
  if (!lay_out()) {
    x = x.contiguous();
    t = t.contiguous();
    TORCH_INTERNAL_ASSERT(lay_out());
  }
  a.samples = axes.sample < 0 ? 1 : x.size(0);
  a.channels = axes.channel < 0 ? 1 : channels;
  a.pixels = 1;
  for (const int64_t d : axes.pixels) {
    a.pixels *= x.size(d);
  }
  if (x.numel() == 0) {
    a.pixels = 0;
  }
  if (axes.channel >= 0 && !all) {
    a.kept = flags.data();
  }
  // With only elementwise steps and slopes, (pixel, channel) in memory is as good as planes.
  const auto is_flat = [&](const Region::Map& map) {
    return map.channel == 1 && map.pixel == a.channels && a.channels > 1;
  };
  a.flat = is_flat(a.x) && (indices || is_flat(a.t)) && a.kept == nullptr &&
           a.activation != Region::kSoftmax;
  if (wanted & 1) {
    gradients[0] = empty_like_map(x, axes, a.dx);
    a.keeps = a.activation != Region::kIdentity && (a.dx.pixel == 1 || is_flat(a.dx));
  }
  if (wanted & 2) {
    gradients[1] = empty_like_map(t, axes, a.dt);
  }
  if (axes.channel < 0) {
    kept = {0};
  }
  a.numel = x.numel();
  const int64_t samples = a.samples, rows = batch ? 1 : samples, count = kept.size();
  const int64_t width = value_by_class ? count : 1;
  std::vector<double> values(rows * width), factors;
  if (upstream.defined()) {
    const auto u = upstream.to(at::kDouble).contiguous();
    factors.assign(u.const_data_ptr<double>(), u.const_data_ptr<double>() + u.numel());
  } else {
    factors.assign(rows * width, reduction == kMean ? 1.0 / static_cast<double>(rows * width) : 1);
  }

  // Both passes over samples [first, last).
  const auto run = [&](int64_t first, int64_t last) {
    Region part = a;
    part.first = first;
    part.samples = last - first;
    std::vector<double> sums(part.samples * a.channels * 3);
    std::vector<double> slopes(wanted == 0 ? 0 : batch ? a.channels * 3 : sums.size());
    std::vector<RegionSums> row(count), row_slopes(count);
    part.sums = sums.data();
    part.shared_slopes = batch;
    region_kernel(part);
    TORCH_CHECK_INDEX(!part.bad, name, ": expected target in [0, ", channels, "), got ",
                      part.bad_index);
    for (int64_t r = 0; r < (batch ? 1 : part.samples); ++r) {
      std::fill(row.begin(), row.end(), RegionSums());
      for (int64_t n = batch ? 0 : r; n < (batch ? samples : r + 1); ++n) {
        for (int64_t k = 0; k < count; ++k) {
          const double* from = part.sums + (n * a.channels + kept[k]) * 3;
          row[k].overlap += from[0];
          row[k].p += from[1];
          row[k].g += from[2];
        }
      }
      const int64_t at = (first + r) * width;
      score(row, weight, factors.data() + at, values.data() + at,
            wanted != 0 ? row_slopes.data() : nullptr);
      for (int64_t k = 0; wanted != 0 && k < count; ++k) {
        double* to = slopes.data() + (r * a.channels + kept[k]) * 3;
        to[0] = row_slopes[k].overlap;
        to[1] = row_slopes[k].p;
        to[2] = row_slopes[k].g;
      }
    }
    if (wanted != 0) {
      part.slopes = slopes.data();
      region_kernel(part);
    }
  };
  // Where large samples share out evenly, each thread takes both passes over its own, one by one:
  // the second finds the maps in the cache, and no thread waits for another in between.
  const int64_t threads = at::get_num_threads();
  if (!batch && wanted != 0 && a.channels * a.pixels >= kLarge && samples % threads == 0) {
    at::parallel_for(0, samples, 1, [&](int64_t first, int64_t last) {
      for (int64_t n = first; n < last; ++n) {
        run(n, n + 1);
      }
    });
  } else {
    run(0, samples);
  }
  if (upstream.defined()) {
    return {};
  }
  if (reduction != kNone) {
    const double total = std::accumulate(values.begin(), values.end(), 0.0);
    return scalar(reduction == kMean ? total / static_cast<double>(values.size()) : total,
                  x.options());
  }
  std::vector<int64_t> shape;
  if (!batch) {
    shape.push_back(rows);
  }
  if (value_by_class) {
    shape.push_back(width);
  }
  auto value = at::empty(shape, x.options());
  if (a.is_double) {
    std::copy(values.begin(), values.end(), value.mutable_data_ptr<double>());
  } else {
    std::copy(values.begin(), values.end(), value.mutable_data_ptr<float>());
  }
  return value;
}

}  // namespace jloss
