// The loss op: one evaluation of a loss, by its formula or its kernel, with or without autograd.
#pragma once

#include <ATen/ATen.h>
#include <jloss/types.h>
#include <torch/library.h>

#include <functional>
#include <string_view>

#include "core/check.h"
#include "core/formulas.h"
#include "core/op.h"
#include "core/reduce.h"

namespace jloss {

/// The loss composed from differentiable ATen operators: any device and dtype.
using Formula = std::function<at::Tensor(at::TensorList inputs)>;

/// The loss on plain CPU float32 or float64 tensors, in as few passes as there can be.
///
/// Returns the value. For each entry of `gradients` whose bit is set in `wanted`, stores the
/// gradient of sum(upstream * value); an undefined upstream means ones.
using Kernel = std::function<at::Tensor(at::TensorList inputs, const at::Tensor& upstream,
                                        uint32_t wanted, Gradients& gradients)>;

/// One evaluation of a loss.
struct Loss {
  const char* name;
  std::vector<at::Tensor> inputs;  ///< absent ones undefined
  uint32_t differentiable;         ///< bit i: input i may have a gradient
  uint32_t principal;              ///< bit i: Gradients holds input i unless told otherwise
  bool scalar;                     ///< the value is one number, so gradients can be stored
  Formula formula;
  Kernel kernel = nullptr;
};

/// Runs a loss: the one way from every loss to a value, a graph or gradients.
at::Tensor evaluate(Loss loss, Gradients* gradients);

/// Memory that a kernel may read: no fake, functional, batched, negated, dual or meta tensor.
bool is_plain(const at::Tensor& t);

/// The tensor, or an undefined one.
inline at::Tensor value_or_undefined(const std::optional<at::Tensor>& t) {
  return t.has_value() ? *t : at::Tensor();
}

}  // namespace jloss
