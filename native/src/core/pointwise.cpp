#include "core/pointwise.h"

#include "core/layout.h"
#include "core/reduced_value.h"

namespace jloss {
namespace {

using at::Tensor;

/// Axes of x from the outermost in memory to the innermost, without those of one element.
std::vector<int64_t> memory_order(const Tensor& x) {
  std::vector<int64_t> order;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (x.size(d) != 1) {
      order.push_back(d);
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return x.stride(a) > x.stride(b); });
  return order;
}

/// Below this an inner axis is too short for vectors and for the work of entering a row.
constexpr int64_t kShort = 64;

/// Neighbouring axes of x that the operands step through evenly, joined.
struct OperandAxes {
  std::vector<int64_t> sizes;
  std::array<std::vector<int64_t>, 2> strides;

  OperandAxes(const Tensor& x, const std::vector<int64_t>& order,
              const std::array<Tensor, 2>& tensors) {
    for (const int64_t d : order) {
      bool joins = !sizes.empty();
      for (size_t k = 0; joins && k < 2; ++k) {
        joins = !tensors[k].defined() || strides[k].back() == tensors[k].stride(d) * x.size(d);
      }
      if (joins) {
        sizes.back() *= x.size(d);
      } else {
        sizes.push_back(x.size(d));
      }
      for (size_t k = 0; k < 2; ++k) {
        const int64_t s = tensors[k].defined() ? tensors[k].stride(d) : 0;
        joins ? void(strides[k].back() = s) : strides[k].push_back(s);
      }
    }
  }

  bool is_short() const {
    return sizes.size() > 1 && sizes.back() < kShort;
  }

  /// Two axes, each operand the same for all rows of the inner one, or as dense as x.
  bool repeats(const std::array<Tensor, 2>& tensors) const {
    for (size_t k = 0; k < 2; ++k) {
      if (tensors[k].defined() && strides[k][0] != 0 &&
          !(strides[k][0] == sizes[1] && strides[k][1] == 1)) {
        return false;
      }
    }
    return sizes.size() == 2;
  }
};

/// Lays out one or two operands over x. Returns the tensors that the pointers refer to.
std::vector<Tensor> lay_out(Pointwise& a, const Tensor& x, std::array<Tensor, 2> tensors) {
  a.inner = std::max<int64_t>(a.numel, 1);
  a.outer_dims = 0;
  const auto order = memory_order(x);
  for (auto& t : tensors) {
    if (t.defined()) {
      t = t.expand(x.sizes());
      // More axes than the loop holds, or an inner stride that vectors cannot follow.
      if (order.size() > 8 || (!order.empty() && t.stride(order.back()) > 1)) {
        t = in_order_of(x, t);
      }
    }
  }
  OperandAxes axes(x, order, tensors);
  if (axes.is_short() && axes.repeats(tensors)) {
    // A row that repeats, such as a factor a class, is written out to a longer row.
    const int64_t width = axes.sizes[1], times = (1024 + width - 1) / width;
    for (size_t k = 0; k < 2; ++k) {
      if (tensors[k].defined() && axes.strides[k][0] == 0 && axes.strides[k][1] == 1) {
        tensors[k] = tensors[k].as_strided({times, width}, {0, 1}).contiguous();
      } else if (axes.strides[k][0] != 0) {
        axes.strides[k][0] = width * times;
      }
    }
    axes.sizes = {(a.numel + width * times - 1) / (width * times), width * times};
  } else if (axes.is_short()) {
    for (auto& t : tensors) {
      if (t.defined()) {
        t = in_order_of(x, t);
      }
    }
    axes = OperandAxes(x, order, tensors);
  }
  if (axes.sizes.size() > 0) {
    a.inner = std::max<int64_t>(axes.sizes.back(), 1);
    a.outer_dims = static_cast<int>(axes.sizes.size()) - 1;
    std::copy(axes.sizes.begin(), axes.sizes.end() - 1, a.outer);
  }
  std::vector<Tensor> kept;
  std::array<Pointwise::Operand*, 2> operands{&a.weight, &a.extra};
  for (size_t k = 0; k < 2; ++k) {
    if (tensors[k].defined()) {
      operands[k]->data = tensors[k].const_data_ptr();
      operands[k]->inner = axes.strides[k].empty() ? 0 : axes.strides[k].back();
      if (!axes.sizes.empty()) {
        std::copy(axes.strides[k].begin(), axes.strides[k].end() - 1, operands[k]->strides);
      }
      kept.push_back(tensors[k]);
    }
  }
  return kept;
}

}  // namespace

Tensor PointwiseLoss::operator()(at::TensorList inputs, const Tensor& upstream, uint32_t wanted,
                                 Gradients& gradients) const {
  const auto x = dense(inputs[0]);
  const auto t = in_order_of(x, inputs[1]);
  Pointwise a;
  a.numel = x.numel();
  const auto kept = lay_out(
      a, x, {inputs.size() > 2 ? inputs[2] : Tensor(), inputs.size() > 3 ? inputs[3] : Tensor()});
  std::copy(params.begin(), params.end(), a.params);
  a.x = x.const_data_ptr();
  a.t = t.const_data_ptr();

  const bool by_weight = mean_by_weight && inputs[2].defined();
  const double count = by_weight                 ? sum_all(inputs[2]).item<double>()
                       : reduction == kBatchMean ? static_cast<double>(x.dim() == 0 ? 1 : x.size(0))
                                                 : static_cast<double>(a.numel);
  const ReducedValue value(a, reduction, count, upstream, x.options(), x.sizes(), x.strides());
  if (wanted & 1) {
    gradients[0] = empty_result(x);
    a.dx = gradients[0].mutable_data_ptr();
  }
  if (wanted & 2) {
    gradients[1] = empty_result(x);
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
