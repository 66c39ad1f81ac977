#include <jloss/custom.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

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

  variable_list operator()(const variable_list& inputs) const {
    variable_list outputs;
    call(id, kCompute, &inputs, &outputs);
    return outputs;
  }
};

struct Recorded : torch::autograd::Node {
  std::shared_ptr<Handle> handle;
  std::string label;
  std::vector<SavedVariable> saved;

  std::string name() const override {
    return label;
  }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& s : saved) {
      s.reset_data();
    }
  }

  variable_list apply(variable_list&& upstreams) override {
    variable_list inputs;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (auto& s : saved) {
        inputs.push_back(s.unpack(shared_from_this()));
      }
    }
    inputs.insert(inputs.end(), upstreams.begin(), upstreams.end());
    auto gradients = (*handle)(inputs);
    TORCH_CHECK_VALUE(gradients.size() == num_outputs(), label, ": expected ", num_outputs(),
                      " gradients, one an input, got ", gradients.size());
    return gradients;
  }
};

/// A hook's handle until the hook is removed. What torch keeps of a removed hook is this alone.
class Slot {
 public:
  explicit Slot(std::shared_ptr<Handle> handle);
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  std::shared_ptr<Handle> handle() {
    std::lock_guard<std::mutex> lock(mutex_);
    return handle_;
  }
  /// The handle is released outside the lock, as that calls back.
  void empty() {
    std::shared_ptr<Handle> last;
    std::lock_guard<std::mutex> lock(mutex_);
    last.swap(handle_);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<Handle> handle_;
  const int64_t id_;
};

/// The slots of all hooks.
struct Slots {
  std::mutex mutex;
  std::unordered_map<int64_t, std::weak_ptr<Slot>> by_id;
};

Slots& slots() {
  static Slots* const all = new Slots();  // outlives tensors that end after main
  return *all;
}

Slot::Slot(std::shared_ptr<Handle> handle) : handle_(std::move(handle)), id_(handle_->id) {}

Slot::~Slot() {
  std::lock_guard<std::mutex> lock(slots().mutex);
  slots().by_id.erase(id_);
}

struct Accumulated : torch::autograd::PostAccumulateGradHook {
  std::vector<std::shared_ptr<Slot>> hooks;

  void operator()(const at::Tensor& leaf) override {
    const auto now = hooks;  // a hook may add another
    for (const auto& slot : now) {
      if (const auto handle = slot->handle()) {
        (*handle)({leaf});
      }
    }
  }

  void add(std::shared_ptr<Slot> slot) {
    hooks.erase(std::remove_if(hooks.begin(), hooks.end(),
                               [](const auto& hook) { return hook->handle() == nullptr; }),
                hooks.end());
    hooks.push_back(std::move(slot));
  }
};

/// What a hook of a node gives in place of gradients, or these where it gives nothing.
variable_list replaced(Slot& slot, const variable_list& given, const variable_list& gradients) {
  const auto handle = slot.handle();
  auto found = handle == nullptr ? variable_list() : (*handle)(given);
  if (found.empty()) {
    return gradients;
  }
  TORCH_CHECK(found.size() == gradients.size(),
              "a hook has returned an incorrect number of values (got ", found.size(),
              ", but expected ", gradients.size(), ")");
  for (size_t i = 0; i < found.size(); ++i) {
    if (found[i].is_same(gradients[i])) {
      continue;
    }
    TORCH_CHECK_TYPE(gradients[i].defined(), "can't replace a None gradient with a non-None value");
    TORCH_CHECK_TYPE(found[i].defined(), "expected a tensor of a hook, but it gave None");
    torch::autograd::check_variable_result(gradients[i], found[i], "of a node");
  }
  return found;
}

struct Before : torch::autograd::FunctionPreHook {
  std::shared_ptr<Slot> slot;

  variable_list operator()(const variable_list& gradients) override {
    return replaced(*slot, gradients, gradients);
  }
};

struct After : torch::autograd::FunctionPostHook {
  std::shared_ptr<Slot> slot;

  variable_list operator()(const variable_list& gradients, const variable_list& reached) override {
    auto given = gradients;
    given.insert(given.end(), reached.begin(), reached.end());
    return replaced(*slot, given, gradients);
  }
};

bool tracked(const at::Tensor& t) {
  return t.defined() && t.requires_grad();
}

bool differentiable(const at::Tensor& t) {
  return t.defined() && (t.is_floating_point() || t.is_complex());
}

void remember(int64_t id, const std::shared_ptr<Slot>& slot) {
  std::lock_guard<std::mutex> lock(slots().mutex);
  slots().by_id[id] = slot;
}

}  // namespace

std::vector<at::Tensor> record(const std::vector<at::Tensor>& inputs,
                               const std::vector<at::Tensor>& outputs,
                               const std::vector<at::Tensor>& saved, const std::string& name,
                               int64_t id, Callback callback) {
  const auto handle = std::shared_ptr<Handle>(new Handle{id, callback});
  if (!at::GradMode::is_enabled() || std::none_of(inputs.begin(), inputs.end(), tracked)) {
    return outputs;
  }
  const auto node = std::shared_ptr<Recorded>(new Recorded(), torch::autograd::deleteNode);
  node->handle = handle;
  node->label = name;
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  variable_list results;
  for (const auto& output : outputs) {
    results.push_back(output);
    if (differentiable(output)) {
      // Without the history of an input that is given back; the version stays a common one.
      results.back() = output.detach();
      torch::autograd::set_history(results.back(), node);
    } else {
      node->add_input_metadata(torch::autograd::Node::undefined_input());
    }
  }
  for (const auto& t : saved) {
    const auto same = [&](const at::Tensor& output) { return t.defined() && output.is_same(t); };
    const auto found = std::find_if(outputs.begin(), outputs.end(), same);
    if (found == outputs.end() || !differentiable(*found)) {
      node->saved.emplace_back(t, false);
    } else {
      node->saved.emplace_back(results[found - outputs.begin()], true);
    }
  }
  return results;
}

void add_hook(const at::Tensor& tensor, bool accumulated, int64_t id, Callback callback) {
  const auto slot = std::make_shared<Slot>(std::shared_ptr<Handle>(new Handle{id, callback}));
  TORCH_CHECK(tracked(tensor), "cannot register a hook on a tensor that doesn't require gradient");
  if (!accumulated) {
    tensor.register_hook([slot](const at::Tensor& gradient) {
      const auto handle = slot->handle();
      const auto given = handle == nullptr ? variable_list() : (*handle)({gradient});
      return given.empty() ? at::Tensor() : given[0];  // undefined: the gradient stays
    });
  } else {
    TORCH_CHECK(tensor.is_leaf(),
                "post accumulate grad hooks cannot be registered on non-leaf tensors");
    namespace impl = torch::autograd::impl;
    if (impl::post_acc_grad_hooks(tensor) == nullptr) {
      impl::set_post_acc_grad_hooks(tensor, std::make_unique<Accumulated>());
    }
    auto* hooks = dynamic_cast<Accumulated*>(impl::post_acc_grad_hooks(tensor).get());
    TORCH_CHECK(hooks != nullptr, "the tensor has a hook of another library's");
    hooks->add(slot);
  }
  remember(id, slot);
}

void add_node_hook(torch::autograd::Node* node, bool before, int64_t id, Callback callback) {
  const auto slot = std::make_shared<Slot>(std::shared_ptr<Handle>(new Handle{id, callback}));
  if (before) {
    auto hook = std::make_unique<Before>();
    hook->slot = slot;
    node->add_pre_hook(std::move(hook));
  } else {
    auto hook = std::make_unique<After>();
    hook->slot = slot;
    node->add_post_hook(std::move(hook));
  }
  remember(id, slot);
}

at::Tensor leaf_of(torch::autograd::Node* node) {
  const auto* leaf = dynamic_cast<torch::autograd::AccumulateGrad*>(node);
  return leaf == nullptr ? at::Tensor() : leaf->variable;
}

void remove_hook(int64_t id) {
  std::shared_ptr<Slot> slot;  // ends outside the lock
  {
    std::lock_guard<std::mutex> lock(slots().mutex);
    const auto found = slots().by_id.find(id);
    slot = found == slots().by_id.end() ? nullptr : found->second.lock();
  }
  if (slot != nullptr) {
    slot->empty();
  }
}

}  // namespace jloss
