#include "core/rowwise.h"

#include <ATen/Parallel.h>

#include "core/layout.h"
#include "core/reduced_value.h"

namespace jloss {
namespace {

using at::Tensor;

/// How dense logits lie in memory as [outer, classes, inner], and the order of the rows in it.
struct RowLayout {
  int64_t inner = 1;
  std::vector<int64_t> sizes, strides;  // of a tensor of one entry a row

  explicit RowLayout(const Tensor& x) {
    const int64_t axis = class_axis(x), classes = std::max<int64_t>(x.size(axis), 1);
    for (int64_t d = 0; d < x.dim(); ++d) {
      if (d == axis) {
        continue;
      }
      const int64_t size = x.size(d), stride = x.stride(d);
      const bool inside = classes > 1 && size > 1 && stride < x.stride(axis);
      sizes.push_back(size);
      strides.push_back(size == 1 ? 1 : inside ? stride : stride / classes);
      inner *= inside ? size : 1;
    }
  }
};

/// A copy with the classes innermost.
Tensor turned(const Tensor& x) {
  const int64_t axis = class_axis(x);
  return x.movedim(axis, -1).contiguous().movedim(-1, axis);
}

struct Targets {
  int64_t kept = 0;   // not ignored
  double factor = 0;  // sum of the class vector at them
};

/// Counts n class indices and checks that each is a class or ignored.
Targets count_targets(const char* loss, const int64_t* index, int64_t n, int64_t classes,
                      int64_t ignore_index, const std::function<double(int64_t)>& factor) {
  constexpr int64_t kChunk = 16384;
  struct Part {
    Targets targets;
    const int64_t* bad = nullptr;
  };
  std::vector<Part> parts((n + kChunk - 1) / kChunk);
  at::parallel_for(0, static_cast<int64_t>(parts.size()), 2, [&](int64_t first, int64_t last) {
    for (int64_t c = first; c < last; ++c) {
      auto& part = parts[c];
      for (int64_t i = c * kChunk; i < std::min(n, (c + 1) * kChunk); ++i) {
        const int64_t y = index[i];
        if (y == ignore_index) {
          continue;
        }
        if (y < 0 || y >= classes) {
          part.bad = part.bad == nullptr ? index + i : part.bad;
          continue;
        }
        ++part.targets.kept;
        if (factor) {
          part.targets.factor += factor(y);
        }
      }
    }
  });
  Targets all;
  for (const auto& part : parts) {
    TORCH_CHECK_INDEX(part.bad == nullptr, loss, ": expected target to hold classes in [0, ",
                      classes, ") or ignore_index ", ignore_index, ", got ", *part.bad);
    all.kept += part.targets.kept;
    all.factor += part.targets.factor;
  }
  return all;
}

}  // namespace

Tensor RowwiseLoss::operator()(at::TensorList inputs, const Tensor& upstream, uint32_t wanted,
                               Gradients& gradients) const {
  // The loop would gather rows one by one of which fewer bytes lie side by side.
  constexpr int64_t kLeastBytes = 32;
  auto x = dense(inputs[0]);
  RowLayout layout(x);
  if (layout.inner > 1 && layout.inner * x.element_size() < kLeastBytes) {
    x = turned(x);
    layout = RowLayout(x);
  }
  const bool by_index = !inputs[1].is_floating_point();
  Rowwise a;
  a.classes = x.size(class_axis(x));
  a.rows = c10::multiply_integers(layout.sizes);
  a.inner = layout.inner;
  a.x = x.const_data_ptr();
  a.ignore_index = ignore_index;
  a.cross = cross;
  a.keep = keep;
  a.add = add;
  std::copy(params.begin(), params.end(), a.params);

  Tensor target, class_vector;
  if (inputs[2].defined()) {
    class_vector = inputs[2].contiguous();
    a.factor = class_vector.const_data_ptr();
    a.factor_stride = class_vector.dim();
    a.cross_weight = cross_by_factor ? a.factor : nullptr;
  }
  double count = a.classes == 0 ? 0 : static_cast<double>(a.rows);
  if (by_index) {
    target = in_order_of(layout.sizes, layout.strides, inputs[1]);
    a.index = target.const_data_ptr<int64_t>();
    std::function<double(int64_t)> factor;
    if (mean_by_factor && class_vector.defined() && reduction == kMean) {
      const int64_t stride = a.factor_stride;
      if (x.scalar_type() == at::kDouble) {
        factor = [w = class_vector.const_data_ptr<double>(), stride](int64_t y) {
          return w[y * stride];
        };
      } else {
        factor = [w = class_vector.const_data_ptr<float>(), stride](int64_t y) {
          return static_cast<double>(w[y * stride]);
        };
      }
    }
    const auto found = count_targets(name, a.index, a.rows, a.classes, ignore_index, factor);
    count = factor ? found.factor : static_cast<double>(found.kept);
  } else {
    target = in_order_of(x, inputs[1]);
    a.t = target.const_data_ptr();
  }
  const ReducedValue value(a, reduction, count, upstream, x.options(), layout.sizes,
                           layout.strides);
  if (wanted & 1) {
    gradients[0] = empty_result(x);
    a.dx = gradients[0].mutable_data_ptr();
  }
  if (wanted & 2) {
    gradients[1] = empty_result(x);
    a.dt = gradients[1].mutable_data_ptr();
  }
  if (x.numel() > 0) {
    kernel(a);
  } else if (a.l != nullptr) {
    value.terms.zero_();
  }
  return value();
}

void check_class_indices(const char* loss, const Tensor& target, const Tensor& logits,
                         int64_t ignore_index) {
  if (is_plain(target) && is_plain(logits)) {
    const auto index = target.contiguous();
    count_targets(loss, index.const_data_ptr<int64_t>(), index.numel(),
                  logits.size(class_axis(logits)), ignore_index, nullptr);
  }
}

ClassIndices::ClassIndices(const Tensor& target, int64_t ignore_index)
    : ignored(target.eq(ignore_index)), index(target.masked_fill(ignored, 0)) {}

Tensor ClassIndices::of(const Tensor& class_vector) const {
  // Not by index(), which reads a scalar index while it is traced.
  return class_vector.index_select(0, index.reshape(-1)).view_symint(index.sym_sizes());
}

Tensor ClassIndices::along(const Tensor& rows) const {
  const int64_t axis = class_axis(rows);
  return rows.gather(axis, index.unsqueeze(axis)).squeeze(axis);
}

Tensor ClassIndices::count(const Tensor& like) const {
  return ignored.logical_not().sum().to(like.scalar_type());
}

}  // namespace jloss
