#include "core/pointwise.h"

#include <ATen/ExpandUtils.h>

#include "core/layout.h"
#include "core/reduced_value.h"

namespace jloss {
namespace {

using at::Tensor;

constexpr size_t kOperands = 4;  // x, t, weight and extra
using Operands = std::array<Tensor, kOperands>;

/// An axis and the operands' strides along it.
struct OperandAxis {
  int64_t size;
  std::array<int64_t, kOperands> strides;
};
using OperandAxes = c10::SmallVector<OperandAxis, 8>;

/// Below this an inner axis is too short for vectors and for the work of entering a row.
constexpr int64_t kShort = 64;

/// A tensor's axes from the outermost in memory to the innermost, without those of one element.
std::vector<int64_t> memory_order(at::IntArrayRef sizes, at::IntArrayRef strides) {
  std::vector<int64_t> order;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] != 1) {
      order.push_back(static_cast<int64_t>(d));
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return strides[a] > strides[b]; });
  return order;
}

/// These axes, neighbours that all operands step through evenly joined to one.
OperandAxes join(at::IntArrayRef sizes, at::IntArrayRef order, const Operands& operands) {
  OperandAxes axes;
  for (const int64_t d : order) {
    OperandAxis axis{sizes[d], {}};
    bool joins = !axes.empty();
    for (size_t k = 0; k < kOperands; ++k) {
      axis.strides[k] = operands[k].defined() ? operands[k].stride(d) : 0;
      joins = joins && axes.back().strides[k] == axis.strides[k] * axis.size;
    }
    if (joins) {
      axis.size *= axes.back().size;
      axes.back() = axis;
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

bool is_short(const OperandAxes& axes) {
  return axes.size() > 1 && axes.back().size < kShort;
}

/// Two axes, each operand the same for all rows of the inner one, or dense.
bool repeats(const OperandAxes& axes) {
  if (axes.size() != 2) {
    return false;
  }
  for (size_t k = 0; k < kOperands; ++k) {
    const int64_t outer = axes[0].strides[k], inner = axes[1].strides[k];
    if (outer != 0 && !(outer == axes[1].size && inner == 1)) {
      return false;
    }
  }
  return true;
}

/// Lays out the operands over results of these sizes and strides, which are dense. Copies, into
/// the array, what the loop cannot follow.
void lay_out(Pointwise& a, at::IntArrayRef sizes, at::IntArrayRef strides, Operands& operands) {
  const auto order = memory_order(sizes, strides);
  const auto in_order = [&](Tensor& t) { t = in_order_of(sizes, strides, t); };
  for (size_t k = 0; k < kOperands; ++k) {
    auto& t = operands[k];
    if (!t.defined()) {
      continue;
    }
    t = t.expand(sizes);
    // More axes than the loop holds, or an inner stride that vectors cannot follow.
    const int64_t step = order.empty() ? 1 : t.stride(order.back());
    if (order.size() > 8 || step > 1 || (step == 0 && k < 2)) {
      in_order(t);
    }
  }
  auto axes = join(sizes, order, operands);
  if (is_short(axes) && repeats(axes)) {
    // A row that repeats, such as a factor a class, is written out to a longer row.
    const int64_t width = axes[1].size, times = (1024 + width - 1) / width;
    for (size_t k = 0; k < kOperands; ++k) {
      if (axes[0].strides[k] != 0) {
        axes[0].strides[k] = width * times;
      } else if (axes[1].strides[k] == 1) {
        operands[k] = operands[k].as_strided({times, width}, {0, 1}).contiguous();
      }
    }
    axes[1].size = width * times;
    axes[0].size = (a.numel + axes[1].size - 1) / axes[1].size;
  } else if (is_short(axes)) {
    for (auto& t : operands) {
      if (t.defined()) {
        in_order(t);
      }
    }
    axes = join(sizes, order, operands);
  }
  a.inner = axes.empty() ? 1 : std::max<int64_t>(axes.back().size, 1);
  a.outer_dims = axes.empty() ? 0 : static_cast<int>(axes.size()) - 1;
  for (int d = 0; d < a.outer_dims; ++d) {
    a.outer[d] = axes[d].size;
  }
  Pointwise::Operand* const laid[] = {&a.x, &a.t, &a.weight, &a.extra};
  for (size_t k = 0; k < kOperands; ++k) {
    if (operands[k].defined()) {
      laid[k]->data = operands[k].const_data_ptr();
      laid[k]->inner = axes.empty() ? 0 : axes.back().strides[k];
      for (int d = 0; d < a.outer_dims; ++d) {
        laid[k]->strides[d] = axes[d].strides[k];
      }
    }
  }
}

}  // namespace

Tensor PointwiseLoss::operator()(at::TensorList inputs, const Tensor& upstream, uint32_t wanted,
                                 Gradients& gradients) const {
  const auto& x = inputs[0];
  Operands operands{x, inputs[1], inputs.size() > 2 ? inputs[2] : Tensor(),
                    inputs.size() > 3 ? inputs[3] : Tensor()};
  const auto strides = at::infer_dense_strides(x.sizes(), x.strides());
  Pointwise a;
  a.numel = x.numel();
  lay_out(a, x.sizes(), strides, operands);
  std::copy(params.begin(), params.end(), a.params);

  const bool by_weight = mean_by_weight && inputs[2].defined();
  const double count = by_weight                 ? sum_all(inputs[2]).item<double>()
                       : reduction == kBatchMean ? static_cast<double>(x.dim() == 0 ? 1 : x.size(0))
                                                 : static_cast<double>(a.numel);
  const ReducedValue value(a, reduction, count, upstream, x.options(), x.sizes(), strides);
  if (wanted & 1) {
    gradients[0] = empty_result(x.sizes(), strides, x.options());
    a.dx = gradients[0].mutable_data_ptr();
  }
  if (wanted & 2) {
    gradients[1] = empty_result(x.sizes(), strides, x.options());
    a.dt = gradients[1].mutable_data_ptr();
  }
  if (a.numel > 0) {
    kernel(a);
  }
  return value();
}

std::vector<Tensor> binary_inputs(const char* name, const Tensor& input, const Tensor& target,
                                  const std::optional<Tensor>& weight,
                                  const std::optional<Tensor>& pos_weight) {
  const Arg x{name, "input", input}, t{name, "target", target};
  check_pair(x, t);
  const auto w = value_or_undefined(weight), pw = value_or_undefined(pos_weight);
  check_factor({name, "weight", w}, x);
  check_factor({name, "pos_weight", pw}, x);
  return {input, target, w, pw};
}

}  // namespace jloss
