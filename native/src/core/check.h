// Checks of arguments: one style of message, "<loss>: expected <argument> ..., got ...".
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/SymInt.h>
#include <c10/util/ArrayRef.h>

#include <initializer_list>

namespace jloss {

/// A named tensor argument of a loss.
struct Arg {
  const char* loss;
  const char* name;
  const at::Tensor& tensor;
};

/// Defined, strided, not nested.
void check_dense(const Arg& arg);

/// Dense, and of one of the four dtypes that losses are computed in.
void check_floating(const Arg& arg);

/// Dense and int64.
void check_long(const Arg& arg, const char* what = "Long");

/// Same dtype and device as the first.
void check_like(const Arg& arg, const Arg& first);

/// Same device as the first.
void check_device(const Arg& arg, const Arg& first);

/// Equal shapes; nothing is broadcast.
void check_same_shape(const Arg& a, const Arg& b);

/// A prediction and a target: floating, of one dtype, device and shape.
void check_pair(const Arg& input, const Arg& target);

/// Undefined, or a factor an element of `to`.
void check_element_weight(const Arg& arg, const Arg& to);

/// Broadcastable to the shape of `to`.
void check_broadcasts(const Arg& arg, const Arg& to);

/// Undefined, or a factor that is broadcast to `to`, of its dtype and device.
void check_factor(const Arg& arg, const Arg& to);

/// A vector of one entry a class.
void check_per_class(const Arg& arg, const c10::SymInt& classes);

/// Floating, (N, C, *), or (C) where a single row is allowed.
void check_logits(const Arg& arg, bool single_row = false);

/// int64, of one entry a row of the logits.
void check_class_index(const Arg& arg, const Arg& logits);

/// A smoothing in [0, 1].
void check_label_smoothing(const char* loss, double label_smoothing);

/// One of the codes of Reduction that the loss allows.
void check_reduction(const char* loss, int64_t reduction, bool batchmean = false);

/// A finite number, 0 or above.
void check_at_least_zero(const char* loss, const char* name, double value);

}  // namespace jloss
