// From tensors to the rowwise loop and back.
#pragma once

#include "core/loss.h"
#include "kernels/rowwise.h"

namespace jloss {

/// A loss of softmax rows over inputs (logits, class indices or distributions, class vector or
/// undefined).
struct RowwiseLoss {
  const char* name;
  const Kernels<Rowwise>& kernel;
  int64_t reduction;
  std::array<double, 4> params = {};
  int64_t ignore_index = -100;
  bool mean_by_factor = false;   ///< mean = sum / sum of the class vector at the targets
  bool cross = false;            ///< with class indices: the functor reads Row::cross
  bool cross_by_factor = false;  ///< the class vector weighs Row::cross too
  double keep = 1, add = 0;      ///< with distributions: q = keep * t + add

  at::Tensor operator()(at::TensorList inputs, const at::Tensor& upstream, uint32_t wanted,
                        Gradients& gradients) const;
};

/// The axis of the classes: the second, or of a single row the only one.
inline int64_t class_axis(const at::Tensor& logits) {
  return logits.dim() == 1 ? 0 : 1;
}

/// Checks class indices that are plain CPU memory; throws IndexError. A kernel does it by itself.
void check_class_indices(const char* loss, const at::Tensor& target, const at::Tensor& logits,
                         int64_t ignore_index);

/// Class indices in a formula, with what is ignored pointing at class 0.
struct ClassIndices {
  at::Tensor ignored, index;

  ClassIndices(const at::Tensor& target, int64_t ignore_index);
  /// The entries of the class vector at the indices.
  at::Tensor of(const at::Tensor& class_vector) const;
  /// The entries of each row of (N, C, *) or (C).
  at::Tensor along(const at::Tensor& rows) const;
  /// How many are not ignored.
  at::Tensor count(const at::Tensor& like) const;
};

}  // namespace jloss
