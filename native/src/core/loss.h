// The loss op: one evaluation of a loss, by its formula or its kernel, with or without autograd.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <jloss/types.h>
#include <torch/library.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>

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

/// What f gives, without autocast, which would change a loss's formula and not its kernel; errors
/// of ATen's own say in which loss they came up.
template <class F>
auto within(const std::string& loss, const F& f) {
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  try {
    return f();
  } catch (c10::Error& e) {
    if (e.msg().compare(0, loss.size(), loss) != 0) {
      e.add_context("in " + loss);
    }
    throw;
  } catch (const std::bad_alloc&) {
    TORCH_CHECK_WITH(OutOfMemoryError, false, loss, ": can't allocate memory");
  } catch (const std::runtime_error& e) {  // of a number that the dtype cannot hold
    TORCH_CHECK_VALUE(false, loss, ": ", e.what());
  }
}

/// Memory that a kernel may read: no fake, functional, batched, negated, dual or meta tensor.
bool is_plain(const at::Tensor& t);

/// The tensor, or an undefined one.
inline at::Tensor value_or_undefined(const std::optional<at::Tensor>& t) {
  return t.has_value() ? *t : at::Tensor();
}

}  // namespace jloss
