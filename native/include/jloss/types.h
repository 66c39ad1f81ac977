// Types shared by every loss header.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <cstdint>
#include <optional>
#include <vector>

#define JLOSS_API __attribute__((visibility("default")))

namespace jloss {

/// How a loss joins its terms to one value. The codes are those of ATen.
enum Reduction : int64_t { kNone = 0, kMean = 1, kSum = 2, kBatchMean = 3 };

/// Where a loss puts its gradients, one entry an input: the gradient of the sum of the value.
///
/// A loss that is given one records no autograd graph. It fills the entries of those inputs
/// that require a gradient; where none does, of the loss's principal inputs (its predictions or
/// embeddings, not its targets). The other entries are undefined.
using Gradients = std::vector<at::Tensor>;

}  // namespace jloss
