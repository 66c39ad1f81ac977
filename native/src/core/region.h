// From tensors to the region loop and back: losses on overlap sums of (sample, class) regions.
#pragma once

#include "core/loss.h"
#include "kernels/region.h"

namespace jloss {

/// The sums of one region: overlap (sum of p g), p and g. As slopes: the derivatives by them.
struct RegionSums {
  double overlap = 0, p = 0, g = 0;
};

/// What a loss makes of the sums, for the kernel: for each row of `classes` sums (a sample, or
/// the batch) one value, or one a class. Where `slopes` is wanted, stores the derivatives of
/// sum(upstream * value) by the sums.
using RegionScore = std::function<void(c10::ArrayRef<RegionSums> sums, c10::ArrayRef<double> weight,
                                       const double* upstream, double* value, RegionSums* slopes)>;

/// The same for the formula: overlap, p and g of shape (rows, classes) to (rows) or
/// (rows, classes). weight (classes) may be undefined.
using RegionFormula = std::function<at::Tensor(const at::Tensor& overlap, const at::Tensor& p,
                                               const at::Tensor& g, const at::Tensor& weight)>;

/// A loss on regions over inputs (input, target, weight or undefined).
struct RegionLoss {
  enum Mode : int64_t { kBinary, kMultilabel, kMulticlass };

  const char* name;
  int64_t mode = kMultilabel;
  bool from_logits = false;     ///< softmax for kMulticlass, else sigmoid
  bool batch = false;           ///< sums over the samples too
  bool by_class = true;         ///< false: the loss needs the totals of all classes only
  bool value_by_class = false;  ///< one value a class
  bool squared = false;         ///< p and g are sums of squares
  bool soft_label = false;      ///< overlap is the sum of min(p, g) = (p + g - |p - g|) / 2
  bool include_background = true;
  std::vector<int64_t> classes;  ///< channels that take part, counted after the background
                                 ///< is left out; empty: all
  std::optional<int64_t> ignore_index;
  int64_t reduction = kMean;
  bool target_differentiable = true;
  RegionScore score;
  RegionFormula formula;

  /// Checks the arguments and evaluates.
  at::Tensor evaluate(const at::Tensor& input, const at::Tensor& target, const at::Tensor& weight,
                      Gradients* gradients) const;

 private:
  void check(const at::Tensor& input, const at::Tensor& target, const at::Tensor& weight) const;
  at::Tensor composed(at::TensorList inputs) const;
  at::Tensor fused(at::TensorList inputs, const at::Tensor& upstream, uint32_t wanted,
                   Gradients& gradients) const;
};

}  // namespace jloss
