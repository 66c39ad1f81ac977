#include "core/loss.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/forward_grad.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <mutex>

namespace jloss {

bool is_plain(const Tensor& t) {
  static const c10::DispatchKeySet plain(
      {c10::DispatchKey::CPU, c10::DispatchKey::AutogradCPU, c10::DispatchKey::ADInplaceOrView,
       c10::DispatchKey::AutocastCPU, c10::DispatchKey::BackendSelect});
  return (t.key_set().raw_repr() & ~plain.raw_repr()) == 0 && t.layout() == at::kStrided &&
         !torch::autograd::isFwGradDefined(t);
}

namespace {

using at::Tensor;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

bool bit(uint32_t mask, size_t i) {
  return (mask >> i) & 1;
}

bool is_half(const Tensor& t) {
  return t.is_cpu() && (t.scalar_type() == at::kHalf || t.scalar_type() == at::kBFloat16);
}

bool runs_fused(const Loss& loss) {
  if (!loss.kernel || c10::impl::dispatch_mode_enabled()) {
    return false;
  }
  for (const auto& t : loss.inputs) {
    if (t.defined() && !is_plain(t)) {
      return false;
    }
  }
  return true;
}

uint32_t requiring_grad(const Loss& loss) {
  uint32_t mask = 0;
  for (size_t i = 0; i < loss.inputs.size(); ++i) {
    const auto& t = loss.inputs[i];
    if (bit(loss.differentiable, i) && t.defined() && t.requires_grad()) {
      mask |= 1u << i;
    }
  }
  return mask;
}

/// The formula on aliases of the wanted inputs, and its derivative with respect to the aliases.
/// (With respect to the inputs themselves loss(x, f(x)) would count the path through f twice.)
variable_list differentiate(const Formula& formula, std::vector<Tensor> inputs, uint32_t wanted,
                            const Tensor& upstream, bool create_graph, Tensor* value = nullptr) {
  at::AutoGradMode enable(true);
  variable_list leaves;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) {
      continue;
    }
    if (!bit(wanted, i)) {
      inputs[i] = inputs[i].detach();
    } else {
      inputs[i] = create_graph ? at::alias(inputs[i]) : inputs[i].detach().requires_grad_();
      leaves.push_back(inputs[i]);
    }
  }
  const auto out = formula(inputs);
  if (value != nullptr) {
    *value = out.detach();
  }
  variable_list result(inputs.size());
  if (leaves.empty()) {
    return result;
  }
  variable_list found(leaves.size());
  if (out.requires_grad()) {
    found =
        torch::autograd::grad({out}, leaves, {upstream.defined() ? upstream : at::ones_like(out)},
                              create_graph, create_graph, /*allow_unused=*/true);
  }
  for (size_t i = 0, k = 0; i < inputs.size(); ++i) {
    if (inputs[i].defined() && bit(wanted, i)) {
      result[i] = found[k].defined() ? found[k] : at::zeros_like(inputs[i]);
      ++k;
    }
  }
  return result;
}

/// The gradient of a loss whose value came from a kernel.
struct LossBackward : torch::autograd::Node {
  std::string op;
  Formula formula;
  Kernel kernel;
  uint32_t wanted = 0;
  std::vector<SavedVariable> saved;  // read for reduction none and for double backward only
  Gradients stored;                  // for one number: made by the forward pass
  bool kept = true;                  // will the graph be used again?

  std::string name() const override {
    return op + "_backward";
  }

  void will_release_variables() override {
    kept = false;
  }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    stored.clear();
    for (auto& s : saved) {
      s.reset_data();
    }
  }

  std::vector<Tensor> unpack() {
    std::vector<Tensor> inputs;
    inputs.reserve(saved.size());
    for (auto& s : saved) {
      inputs.push_back(s.unpack());
    }
    return inputs;
  }

  variable_list apply(variable_list&& upstreams) override {
    return within(op, [&] { return gradients(upstreams[0]); });
  }

  variable_list gradients(const Tensor& upstream) {
    std::unique_lock<std::mutex> lock(mutex_);
    variable_list out(num_outputs());
    if (!upstream.defined()) {
      return out;
    }
    // A hook of another library may have changed what the engine had checked.
    const auto& expected = input_metadata(0);
    TORCH_CHECK_VALUE(upstream.dtype() == expected.dtype() && expected.is_same_shape(upstream), op,
                      ": expected an upstream gradient of the value's dtype and shape, ",
                      expected.dtype(), " ", expected.shape_as_dim_vector(), ", got ",
                      upstream.dtype(), " ", upstream.sym_sizes());
    uint32_t needed = 0;
    for (size_t i = 0, edge = 0; i < saved.size(); ++i) {
      if (bit(wanted, i) && task_should_compute_output(edge++)) {
        needed |= 1u << i;
      }
    }
    Gradients found;
    const bool create_graph = at::GradMode::is_enabled();
    // A batched, dual, negated or zero upstream gradient has no memory for a kernel to read.
    if (create_graph || !is_plain(upstream) || c10::impl::dispatch_mode_enabled()) {
      auto inputs = unpack();
      lock.unlock();
      found = differentiate(formula, std::move(inputs), needed, upstream, create_graph);
    } else if (stored.empty()) {
      const auto inputs = unpack();
      found.resize(inputs.size());
      kernel(inputs, upstream, needed, found);
    } else {
      found = scale_stored(upstream, needed);
    }
    for (size_t i = 0, edge = 0; i < saved.size(); ++i) {
      if (bit(wanted, i)) {
        out[edge++] = std::move(found[i]);
      }
    }
    return out;
  }

  Gradients scale_stored(const Tensor& upstream, uint32_t needed) {
    Gradients found(stored.size());
    for (size_t i = 0; i < stored.size(); ++i) {
      if (!bit(needed, i)) {
        continue;
      }
      // Another thread's backward pass through this graph may have taken it.
      TORCH_CHECK(stored[i].defined(), torch::autograd::ERR_BACKWARD_TWICE);
      if (kept) {  // the buffer is wanted again, and whoever gets this one may write into it
        found[i] = stored[i] * upstream;
      } else {
        found[i] = std::move(stored[i]);
        if (upstream.item<double>() != 1.0) {
          found[i].mul_(upstream);
        }
      }
    }
    return found;
  }
};

Tensor record(Loss& loss, uint32_t wanted) {
  auto node = std::shared_ptr<LossBackward>(new LossBackward(), torch::autograd::deleteNode);
  node->op = loss.name;
  node->wanted = wanted;
  variable_list tracked;
  for (size_t i = 0; i < loss.inputs.size(); ++i) {
    const bool tracks = bit(wanted, i);
    node->saved.emplace_back(
        loss.inputs[i].defined() && !tracks ? loss.inputs[i].detach() : loss.inputs[i], false);
    if (tracks) {
      tracked.push_back(loss.inputs[i]);
    }
  }
  node->set_next_edges(torch::autograd::collect_next_edges(tracked));
  Tensor value;
  {
    at::AutoDispatchBelowADInplaceOrView guard;
    Gradients made(loss.inputs.size());
    value = loss.kernel(loss.inputs, {}, loss.scalar ? wanted : 0, made);
    if (loss.scalar) {
      node->stored = std::move(made);
    }
  }
  node->formula = std::move(loss.formula);
  node->kernel = std::move(loss.kernel);
  torch::autograd::set_history(value, node);
  return value;
}

/// The inputs whose gradients a caller of value and gradients wants.
uint32_t requested(const Loss& loss) {
  const uint32_t tracked = requiring_grad(loss);
  uint32_t mask = tracked != 0 ? tracked : loss.principal & loss.differentiable;
  for (size_t i = 0; i < loss.inputs.size(); ++i) {
    if (!loss.inputs[i].defined()) {
      mask &= ~(1u << i);
    }
  }
  return mask;
}

Tensor with_gradients(const Loss& loss, uint32_t wanted, Gradients& gradients) {
  gradients.assign(loss.inputs.size(), Tensor());
  if (runs_fused(loss)) {
    at::AutoDispatchBelowADInplaceOrView guard;
    return loss.kernel(loss.inputs, {}, wanted, gradients);
  }
  Tensor value;
  gradients = differentiate(loss.formula, loss.inputs, wanted, {}, false, &value);
  return value;
}

Tensor with_graph(Loss& loss) {
  const uint32_t tracked = at::GradMode::is_enabled() ? requiring_grad(loss) : 0;
  if (runs_fused(loss)) {
    if (tracked != 0) {
      return record(loss, tracked);
    }
    at::AutoDispatchBelowADInplaceOrView guard;
    Gradients none(loss.inputs.size());
    return loss.kernel(loss.inputs, {}, 0, none);
  }
  for (size_t i = 0; i < loss.inputs.size(); ++i) {
    auto& t = loss.inputs[i];
    if (t.defined() && t.requires_grad() && !bit(loss.differentiable, i)) {
      t = t.detach();
    }
  }
  return loss.formula(loss.inputs);
}

/// Half types on CPU are computed in float32, and the results rounded once.
std::optional<at::ScalarType> half_type(const Loss& loss) {
  for (const auto& t : loss.inputs) {
    if (t.defined() && is_half(t)) {
      return t.scalar_type();
    }
  }
  return std::nullopt;
}

}  // namespace

Tensor evaluate(Loss loss, Gradients* gradients) {
  const uint32_t wanted = gradients != nullptr ? requested(loss) : 0;
  const auto half = half_type(loss);
  if (half.has_value()) {
    for (auto& t : loss.inputs) {
      if (t.defined() && is_half(t)) {
        t = t.to(at::kFloat);
      }
    }
  }
  auto value = within(loss.name, [&] {
    return gradients != nullptr ? with_gradients(loss, wanted, *gradients) : with_graph(loss);
  });
  if (half.has_value()) {
    value = value.to(*half);
    for (size_t i = 0; gradients != nullptr && i < gradients->size(); ++i) {
      if ((*gradients)[i].defined()) {
        (*gradients)[i] = (*gradients)[i].to(*half);
      }
    }
  }
  return value;
}

}  // namespace jloss
