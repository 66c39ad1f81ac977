#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/ScalarOps.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <jloss/dispatch.h>
#include <omp.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <mutex>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

namespace jloss {
namespace {

enum Tag : int64_t {
  kNone_ = 0,
  kTensor = 1,
  kTensors = 2,
  kOptionalTensors = 3,
  kInt = 4,
  kDouble = 5,
  kBool = 6,
  kInts = 7,
  kDoubles = 8,
  kBools = 9,
  kText = 10,
  kDefault = 11,
  kDevice = 12,
  kNumber = 13,
  kGenerator = 14,
  kComplex = 15,
};

// Overloads in use, by number. Handles are small and valid for ever.
std::mutex handles_mutex;
std::vector<c10::OperatorHandle> handles;
std::unordered_map<std::string, std::string> known;
std::unordered_multimap<std::string, c10::OperatorName> names;

double as_double(int64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

int64_t as_bits(double value) {
  int64_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Reads arguments off the code; its reads are checked, as a wrong code must not end the process.
class Reader {
 public:
  Reader(at::IntArrayRef code, const std::vector<at::Tensor>& tensors)
      : code_(code), tensors_(tensors) {}

  bool done() const {
    return at_ == code_.size();
  }

  int64_t next() {
    TORCH_CHECK(at_ < code_.size(), "jloss: the arguments' code ends early");
    return code_[at_++];
  }

  const at::Tensor& tensor() {
    TORCH_CHECK(tensor_ < tensors_.size(), "jloss: expected more tensors");
    return tensors_[tensor_++];
  }

  template <typename T, typename Read>
  c10::List<T> list(Read read) {
    c10::List<T> values;
    const int64_t count = next();
    for (int64_t i = 0; i < count; ++i) {
      values.push_back(read());
    }
    return values;
  }

  c10::IValue argument(const c10::Argument& argument) {
    const int64_t tag = next();
    switch (tag) {
      case kNone_:
        return {};
      case kTensor:
        return tensor();
      case kTensors:
        return list<at::Tensor>([&] { return tensor(); });
      case kOptionalTensors:
        return list<std::optional<at::Tensor>>([&]() -> std::optional<at::Tensor> {
          const auto& t = tensor();
          return t.defined() ? std::optional<at::Tensor>(t) : std::nullopt;
        });
      case kInt:
        return next();
      case kDouble:
        return as_double(next());
      case kComplex: {
        const double real = as_double(next());
        return c10::complex<double>(real, as_double(next()));
      }
      case kBool:
        return next() != 0;
      case kInts:
        return list<int64_t>([&] { return next(); });
      case kDoubles:
        return list<double>([&] { return as_double(next()); });
      case kBools:
        return list<bool>([&] { return next() != 0; });
      case kText: {
        std::string text;
        for (int64_t count = next(); count > 0; --count) {
          text += static_cast<char>(next());
        }
        return text;
      }
      case kDefault:
        TORCH_CHECK(argument.default_value().has_value(), "jloss: ", argument.name(),
                    " has no default");
        return *argument.default_value();
      case kDevice:
        return c10::Device(static_cast<c10::DeviceType>(next()));
      case kNumber: {
        // As Python's numbers: it does not decide the dtype of the result.
        at::Tensor number = c10::scalar_to_tensor(this->argument(argument).toScalar());
        number.unsafeGetTensorImpl()->set_wrapped_number(true);
        return number;
      }
      case kGenerator: {
        state_ = tensor();
        generator_ = at::make_generator<at::CPUGeneratorImpl>();
        generator_.set_state(state_);
        return generator_;
      }
      default:
        TORCH_CHECK(false, "jloss: there is no argument of kind ", tag);
    }
  }

  /// Writes back what the call made of the generator's state.
  void finish() {
    if (generator_.defined()) {
      state_.copy_(generator_.get_state());
    }
  }

 private:
  at::Generator generator_;
  at::Tensor state_;
  at::IntArrayRef code_;
  const std::vector<at::Tensor>& tensors_;
  size_t at_ = 0;
  size_t tensor_ = 0;
};

void describe_result(const c10::IValue& value, std::vector<int64_t>& code,
                     std::vector<at::Tensor>& tensors) {
  if (value.isNone()) {
    code.push_back(kNone_);
  } else if (value.isTensor()) {
    code.push_back(kTensor);
    tensors.push_back(value.toTensor());
  } else if (value.isBool()) {
    code.insert(code.end(), {kBool, value.toBool()});
  } else if (value.isInt()) {
    code.insert(code.end(), {kInt, value.toInt()});
  } else if (value.isDouble()) {
    code.insert(code.end(), {kDouble, as_bits(value.toDouble())});
  } else if (value.isTensorList()) {
    const auto list = value.toTensorVector();
    code.insert(code.end(), {kTensors, static_cast<int64_t>(list.size())});
    tensors.insert(tensors.end(), list.begin(), list.end());
  } else if (value.isIntList()) {
    const auto list = value.toIntVector();
    code.insert(code.end(), {kInts, static_cast<int64_t>(list.size())});
    code.insert(code.end(), list.begin(), list.end());
  } else {
    TORCH_CHECK_NOT_IMPLEMENTED(false, "results of type ", value.tagKind(), " are not supported");
  }
}

/// Whether an argument takes a value; a bool is a number too.
bool takes(const c10::Argument& argument, const c10::IValue& value) {
  auto type = argument.type();
  if (const auto optional = type->cast<c10::OptionalType>()) {
    type = optional->getElementType();
  }
  return value.type()->isSubtypeOf(*argument.type()) ||
         (value.isBool() && type->kind() == c10::TypeKind::NumberType);
}

thread_local std::vector<int64_t> last_results;

template <typename T>
constexpr int64_t smallest = std::numeric_limits<T>::min();

/// The processor traps where a quotient has no integer of its dtype, and that ends the process: the
/// smallest integer divided by -1, which happens within lcm too.
void check_quotient(const std::string& name, const torch::jit::Stack& stack) {
  static const std::unordered_set<std::string> rounding = {
      "aten::floor_divide", "aten::floor_divide_", "aten::remainder", "aten::remainder_",
      "aten::fmod",         "aten::fmod_",         "aten::lcm",       "aten::lcm_"};
  static const std::unordered_set<std::string> with_mode = {"aten::div", "aten::div_",
                                                            "aten::divide", "aten::divide_"};
  if (rounding.count(name) == 0 &&
      (with_mode.count(name) == 0 || stack.size() < 3 || !stack[2].isString())) {
    return;
  }
  const auto operand = [](const c10::IValue& value) {
    if (value.isTensor()) {
      return value.toTensor().detach();
    }
    auto number = c10::scalar_to_tensor(value.toScalar());
    number.unsafeGetTensorImpl()->set_wrapped_number(true);
    return number;
  };
  auto dividend = operand(stack[0]);
  auto divisor = operand(stack[1]);
  const auto dtype = at::result_type(dividend, divisor);
  if ((dtype != at::kInt && dtype != at::kLong) || dividend.is_meta() || divisor.is_meta()) {
    return;
  }
  dividend = dividend.to(dtype);
  divisor = divisor.to(dtype);
  const at::Scalar least = dtype == at::kInt ? smallest<int32_t> : smallest<int64_t>;
  at::Tensor traps;
  if (name == "aten::lcm" || name == "aten::lcm_") {
    traps = dividend.eq(least).logical_or(divisor.eq(least));
  } else {
    traps = divisor.eq(-1);
    if (traps.any().item<bool>()) {
      traps = traps.logical_and(dividend.eq(least));
    }
  }
  TORCH_CHECK(!traps.any().item<bool>(), name.substr(6), ": a quotient of ", least, " is no ",
              dtype == at::kInt ? "int32" : "int64");
}

// What threads gain in that many elements is less than what their start takes, also where the work
// is not in proportion, as in a matrix of distances; the optimisers' work is.
constexpr int64_t kSmall = 2048;
constexpr int64_t kSmallStep = 16384;

thread_local std::deque<c10::Warning> warnings;

class Keeper : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    warnings.push_back(warning);
  }
};

Keeper keeper;
thread_local c10::WarningHandler* former = nullptr;

/// Has this thread compute alone, where that is asked for: how many threads there were, or 0.
int64_t begin_alone(bool small) {
  const int threads = at::get_num_threads();
  if (!small || threads == 1) {
    return 0;
  }
  omp_set_num_threads(1);
  return threads;
}

/// The same for as long as it lives.
class Alone {
 public:
  explicit Alone(bool small) : threads_(begin_alone(small)) {}
  Alone(const Alone&) = delete;
  Alone& operator=(const Alone&) = delete;
  ~Alone() {
    together(threads_);
  }

 private:
  const int64_t threads_;
};

bool are_small(const std::vector<at::Tensor>& tensors) {
  int64_t elements = 0;
  for (const auto& tensor : tensors) {
    elements += tensor.defined() ? tensor.numel() : 0;
  }
  // What is made of nothing may be large.
  return elements > 0 && elements <= kSmall;
}

/// Calls an optimiser's step, which goes from tensor to tensor: the small ones alone.
void step(const c10::OperatorHandle& handle, torch::jit::Stack& stack) {
  const auto parameters = stack.front().toTensorVector();
  std::vector<size_t> small, large;
  for (size_t i = 0; i < parameters.size(); ++i) {
    (parameters[i].numel() <= kSmallStep ? small : large).push_back(i);
  }
  if (small.empty() || large.empty()) {
    const Alone guard(!small.empty());
    handle.callBoxed(stack);
    return;
  }
  for (const auto* part : {&small, &large}) {
    torch::jit::Stack arguments;
    for (const auto& value : stack) {
      const auto all = value.isTensorList() ? value.toTensorVector() : std::vector<at::Tensor>();
      if (all.size() != parameters.size()) {
        arguments.push_back(value);
        continue;
      }
      c10::List<at::Tensor> some;
      for (const size_t i : *part) {
        some.push_back(all[i]);
      }
      arguments.push_back(some);
    }
    const Alone guard(part == &small);
    handle.callBoxed(arguments);
  }
}

/// Whether all gradients of a graph are small.
bool is_small(const std::vector<at::Tensor>& roots) {
  std::unordered_set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> open;
  const auto visit = [&](torch::autograd::Node* node) {
    if (node != nullptr && seen.insert(node).second) {
      open.push_back(node);
    }
  };
  for (const auto& root : roots) {
    if (root.defined()) {
      visit(root.grad_fn().get());
    }
  }
  while (!open.empty()) {
    auto* node = open.back();
    open.pop_back();
    for (uint32_t i = 0; i < node->num_inputs(); ++i) {
      const auto& gradient = node->input_metadata(i);
      if (gradient.was_default_constructed()) {
        continue;
      }
      const auto shape = c10::asIntArrayRefSlowOpt(gradient.shape_as_dim_vector());
      if (!shape.has_value() || c10::multiply_integers(*shape) > kSmall) {
        return false;
      }
    }
    for (const auto& edge : node->next_edges()) {
      visit(edge.function.get());
    }
  }
  return true;
}

}  // namespace

int64_t alone(const std::vector<at::Tensor>& roots) {
  return begin_alone(is_small(roots));
}

bool together(int64_t threads) {
  if (threads > 0) {
    omp_set_num_threads(static_cast<int>(threads));
  }
  return !warnings.empty();
}

void keep_warnings(bool on) {
  using namespace c10::WarningUtils;
  if (on == (get_warning_handler() == &keeper)) {
    return;
  }
  if (on) {
    former = get_warning_handler();
    set_warning_handler(&keeper);
    return;
  }
  set_warning_handler(former);
  for (const auto& warning : warnings) {
    former->process(warning);
  }
  warnings.clear();
}

std::string next_warning() {
  if (warnings.empty()) {
    return {};
  }
  const auto& warning = warnings.front();
  const bool user = std::holds_alternative<c10::UserWarning>(warning.type());
  std::string text = (user ? "U" : "D") + warning.msg();
  warnings.pop_front();
  return text;
}

std::string overloads(const std::string& name) {
  std::lock_guard<std::mutex> lock(handles_mutex);
  if (names.empty()) {
    for (const auto& operator_name : c10::Dispatcher::singleton().getAllOpNames()) {
      names.emplace(operator_name.name, operator_name);
    }
  }
  const auto found = known.find(name);
  if (found != known.end()) {
    return found->second;
  }
  std::ostringstream lines;
  const auto range = names.equal_range(name);
  for (auto it = range.first; it != range.second; ++it) {
    const auto handle = c10::Dispatcher::singleton().findSchema(it->second);
    if (handle.has_value()) {
      lines << handles.size() << '\t' << handle->schema() << '\n';
      handles.push_back(*handle);
    }
  }
  return known[name] = lines.str();
}

int64_t call(int64_t overload, at::IntArrayRef code, std::vector<at::Tensor>& tensors) {
  const auto handle = [&] {
    std::lock_guard<std::mutex> lock(handles_mutex);
    TORCH_CHECK(overload >= 0 && overload < static_cast<int64_t>(handles.size()),
                "jloss: there is no operator number ", overload);
    return handles[overload];
  }();
  const auto& schema = handle.schema();
  torch::jit::Stack stack;
  Reader reader(code, tensors);
  for (const auto& argument : schema.arguments()) {
    stack.push_back(reader.argument(argument));
    TORCH_CHECK_TYPE(takes(argument, stack.back()), schema.name(), "(): argument '",
                     argument.name(), "' must be ", argument.type()->str(), ", not ",
                     stack.back().type()->str());
  }
  TORCH_CHECK(reader.done(), "jloss: the arguments' code is too long");
  check_quotient(schema.name(), stack);
  if (schema.name().compare(0, 13, "aten::_fused_") == 0) {
    step(handle, stack);
    stack.clear();
  } else {
    const Alone guard(are_small(tensors));
    handle.callBoxed(stack);
  }
  reader.finish();
  tensors.clear();
  bool plain = true;
  for (const auto& value : stack) {
    plain = plain && value.isTensor();
  }
  last_results.clear();
  const int64_t flag = warnings.empty() ? 0 : int64_t{kWarned};
  if (plain) {
    for (auto& value : stack) {
      tensors.push_back(std::move(value).toTensor());
    }
    return static_cast<int64_t>(stack.size()) + flag;
  }
  for (const auto& value : stack) {
    describe_result(value, last_results, tensors);
  }
  return -1 + flag;
}

std::vector<int64_t> results() {
  return last_results;
}

}  // namespace jloss
