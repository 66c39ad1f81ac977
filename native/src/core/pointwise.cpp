#include "core/pointwise.h"

#include "core/layout.h"

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

/// Lays out one or two operands over x: neighbouring axes that all of them step through evenly
/// become one. Returns the tensors that the pointers refer to.
std::vector<Tensor> lay_out(Pointwise& a, const Tensor& x, std::array<Tensor, 2> tensors) {
  a.inner = std::max<int64_t>(a.numel, 1);
  a.outer_dims = 0;
  std::vector<Tensor> kept;
  const auto order = memory_order(x);
  std::array<Pointwise::Operand*, 2> operands{&a.weight, &a.extra};
  for (auto& t : tensors) {
    if (t.defined()) {
      t = t.expand(x.sizes());
      // More axes than the loop holds, or an inner stride that vectors cannot follow.
      if (order.size() > 8 || (!order.empty() && t.stride(order.back()) > 1)) {
        t = in_order_of(x, t);
      }
    }
  }
  std::vector<int64_t> sizes;
  std::array<std::vector<int64_t>, 2> strides;
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
  if (sizes.size() > 0) {
    a.inner = std::max<int64_t>(sizes.back(), 1);
    a.outer_dims = static_cast<int>(sizes.size()) - 1;
    std::copy(sizes.begin(), sizes.end() - 1, a.outer);
  }
  for (size_t k = 0; k < 2; ++k) {
    if (tensors[k].defined()) {
      operands[k]->data = tensors[k].const_data_ptr();
      operands[k]->inner = strides[k].empty() ? 0 : strides[k].back();
      if (!sizes.empty()) {
        std::copy(strides[k].begin(), strides[k].end() - 1, operands[k]->strides);
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
  a.is_double = x.scalar_type() == at::kDouble;
  a.numel = x.numel();
  const auto kept = lay_out(
      a, x, {inputs.size() > 2 ? inputs[2] : Tensor(), inputs.size() > 3 ? inputs[3] : Tensor()});
  std::copy(params.begin(), params.end(), a.params);
  a.x = x.const_data_ptr();
  a.t = t.const_data_ptr();

  Tensor value, factors;
  const bool by_weight = mean_by_weight && inputs[2].defined();
  const double count = by_weight                 ? sum_all(inputs[2]).item<double>()
                       : reduction == kBatchMean ? static_cast<double>(x.dim() == 0 ? 1 : x.size(0))
                                                 : static_cast<double>(a.numel);
  const bool divides = reduction == kMean || reduction == kBatchMean;
  if (divides) {
    a.scale = 1 / count;
  }
  if (upstream.defined()) {
    factors = in_order_of(x, upstream);
    a.upstream = factors.const_data_ptr();
  } else if (reduction == kNone) {
    value = at::empty_strided(x.sizes(), x.strides(), x.options());
    a.l = value.mutable_data_ptr();
  }
  if (wanted & 1) {
    gradients[0] = at::empty_strided(x.sizes(), x.strides(), x.options());
    a.dx = gradients[0].mutable_data_ptr();
  }
  if (wanted & 2) {
    gradients[1] = at::empty_strided(x.sizes(), x.strides(), x.options());
    a.dt = gradients[1].mutable_data_ptr();
  }
  if (a.numel > 0) {
    kernel(a);
  }
  if (reduction != kNone) {
    value = scalar(divides ? a.sum / count : a.sum, x);
  }
  return value;
}

}  // namespace jloss
