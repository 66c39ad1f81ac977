#include <jloss/custom.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <mutex>

namespace jloss {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

/// The caller's object, released with the last that needs it.
struct Handle {
  int64_t id;
  Callback call;

  ~Handle() {
    call(id, kRelease, nullptr, nullptr);
  }
};

struct CustomBackward : torch::autograd::Node {
  std::shared_ptr<Handle> handle;
  std::vector<SavedVariable> saved;
  std::vector<bool> tracked;

  std::string name() const override {
    return "custom_loss_backward";
  }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& s : saved) {
      s.reset_data();
    }
  }

  variable_list apply(variable_list&& upstreams) override {
    std::vector<at::Tensor> inputs;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (auto& s : saved) {
        inputs.push_back(s.unpack());
      }
    }
    variable_list out(num_outputs());
    if (!upstreams[0].defined()) {
      return out;
    }
    inputs.push_back(upstreams[0]);
    std::vector<at::Tensor> gradients;
    handle->call(handle->id, kBackward, &inputs, &gradients);
    TORCH_CHECK_VALUE(gradients.size() == saved.size(), "custom loss: expected ", saved.size(),
                      " gradients, one an input, got ", gradients.size());
    for (size_t i = 0, edge = 0; i < saved.size(); ++i) {
      if (tracked[i]) {
        out[edge++] = gradients[i];
      }
    }
    return out;
  }
};

}  // namespace

at::Tensor custom_loss(const std::vector<at::Tensor>& inputs, int64_t id, Callback callback) {
  const auto handle = std::shared_ptr<Handle>(new Handle{id, callback});
  std::vector<at::Tensor> outputs;
  {
    at::NoGradGuard guard;
    callback(id, kForward, &inputs, &outputs);
  }
  TORCH_CHECK_VALUE(outputs.size() == 1 && outputs[0].defined(),
                    "custom loss: expected forward to give one value, got none");
  // Without the history, and not in the memory, of an input that is given back.
  auto value = outputs[0].variable_data();
  for (const auto& t : inputs) {
    if (t.defined() && value.is_alias_of(t)) {
      value = value.clone();
    }
  }
  std::vector<bool> tracked;
  variable_list variables;
  for (const auto& t : inputs) {
    tracked.push_back(at::GradMode::is_enabled() && t.defined() && t.requires_grad());
    if (tracked.back()) {
      variables.push_back(t);
    }
  }
  if (variables.empty()) {
    return value;
  }
  auto node = std::shared_ptr<CustomBackward>(new CustomBackward(), torch::autograd::deleteNode);
  node->handle = handle;
  node->tracked = std::move(tracked);
  for (const auto& t : inputs) {
    node->saved.emplace_back(t, false);
  }
  node->set_next_edges(torch::autograd::collect_next_edges(variables));
  torch::autograd::set_history(value, node);
  return value;
}

}  // namespace jloss
