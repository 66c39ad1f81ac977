#include "core/check.h"

#include <ATen/ExpandUtils.h>
#include <c10/util/Exception.h>

#include <cmath>

namespace jloss {

void check_dense(const Arg& arg) {
  TORCH_CHECK_VALUE(arg.tensor.defined(), arg.loss, ": expected ", arg.name, ", got no tensor");
  TORCH_CHECK_TYPE(arg.tensor.layout() == at::kStrided, arg.loss, ": expected ", arg.name,
                   " to be a dense tensor, got layout ", arg.tensor.layout());
  TORCH_CHECK_TYPE(!arg.tensor.is_nested(), arg.loss, ": expected ", arg.name,
                   " to be a dense tensor, got a nested one");
}

void check_floating(const Arg& arg) {
  check_dense(arg);
  const auto dtype = arg.tensor.scalar_type();
  TORCH_CHECK_TYPE(!at::isFloat8Type(dtype), arg.loss, ": expected ", arg.name,
                   " to be Half, BFloat16, Float or Double, got ", dtype);
  TORCH_CHECK_TYPE(at::isFloatingType(dtype), arg.loss, ": expected ", arg.name,
                   " to be floating, got ", dtype);
}

void check_long(const Arg& arg, const char* what) {
  check_dense(arg);
  TORCH_CHECK_TYPE(arg.tensor.scalar_type() == at::kLong, arg.loss, ": expected ", arg.name,
                   " to be ", what, ", got ", arg.tensor.scalar_type());
}

void check_like(const Arg& arg, const Arg& first) {
  check_floating(arg);
  TORCH_CHECK_TYPE(arg.tensor.scalar_type() == first.tensor.scalar_type(), arg.loss, ": expected ",
                   arg.name, " to be ", first.tensor.scalar_type(), " as ", first.name, " is, got ",
                   arg.tensor.scalar_type());
  check_device(arg, first);
}

void check_device(const Arg& arg, const Arg& first) {
  TORCH_CHECK_VALUE(arg.tensor.device() == first.tensor.device(), arg.loss, ": expected ", arg.name,
                    " on ", first.tensor.device(), " as ", first.name, " is, got ",
                    arg.tensor.device());
}

void check_same_shape(const Arg& a, const Arg& b) {
  TORCH_CHECK_VALUE(a.tensor.sym_sizes() == b.tensor.sym_sizes(), a.loss, ": expected ", a.name,
                    " of shape ", b.tensor.sym_sizes(), " as ", b.name, ", got ",
                    a.tensor.sym_sizes());
}

void check_pair(const Arg& input, const Arg& target) {
  check_floating(input);
  check_like(target, input);
  check_same_shape(target, input);
}

void check_element_weight(const Arg& arg, const Arg& to) {
  if (arg.tensor.defined()) {
    check_like(arg, to);
    check_same_shape(arg, to);
  }
}

void check_broadcasts(const Arg& arg, const Arg& to) {
  const auto from = arg.tensor.sym_sizes(), shape = to.tensor.sym_sizes();
  bool fits = from.size() <= shape.size();
  for (size_t i = 0; fits && i < from.size(); ++i) {
    const auto& have = from[from.size() - 1 - i];
    fits = have == 1 || have == shape[shape.size() - 1 - i];
  }
  TORCH_CHECK_VALUE(fits, arg.loss, ": expected ", arg.name, " to broadcast to ", to.name,
                    " of shape ", shape, ", got ", from);
}

void check_factor(const Arg& arg, const Arg& to) {
  if (arg.tensor.defined()) {
    check_like(arg, to);
    check_broadcasts(arg, to);
  }
}

void check_per_class(const Arg& arg, const c10::SymInt& classes) {
  TORCH_CHECK_VALUE(arg.tensor.dim() == 1 && arg.tensor.sym_size(0) == classes, arg.loss,
                    ": expected ", arg.name, " of shape [", classes, "], one entry a class, got ",
                    arg.tensor.sym_sizes());
}

void check_logits(const Arg& arg, bool single_row) {
  check_floating(arg);
  TORCH_CHECK_VALUE(arg.tensor.dim() >= 2 || (single_row && arg.tensor.dim() == 1), arg.loss,
                    ": expected ", arg.name, " of shape (N, C, *)", single_row ? " or (C)" : "",
                    ", got ", arg.tensor.sym_sizes());
}

void check_class_index(const Arg& arg, const Arg& logits) {
  check_long(arg, "class indices of dtype Long");
  check_device(arg, logits);
  auto rows = logits.tensor.sym_sizes().vec();
  rows.erase(rows.begin() + (rows.size() > 1 ? 1 : 0));
  TORCH_CHECK_VALUE(arg.tensor.sym_sizes() == c10::SymIntArrayRef(rows), arg.loss, ": expected ",
                    arg.name, " of shape ", c10::SymIntArrayRef(rows), ", one class a row of ",
                    logits.name, ", got ", arg.tensor.sym_sizes());
}

void check_label_smoothing(const char* loss, double label_smoothing) {
  TORCH_CHECK_VALUE(label_smoothing >= 0 && label_smoothing <= 1, loss,
                    ": expected label_smoothing in [0, 1], got ", label_smoothing);
}

void check_reduction(const char* loss, int64_t reduction, bool batchmean) {
  TORCH_CHECK_VALUE(reduction >= 0 && reduction <= (batchmean ? 3 : 2), loss,
                    ": expected reduction none (0), mean (1)",
                    batchmean ? ", sum (2) or batchmean (3)" : " or sum (2)", ", got ", reduction);
}

void check_at_least_zero(const char* loss, const char* name, double value) {
  TORCH_CHECK_VALUE(value >= 0 && std::isfinite(value), loss, ": expected ", name,
                    " to be finite and at least 0, got ", value);
}

}  // namespace jloss
