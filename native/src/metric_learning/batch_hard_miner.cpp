#include "kernels/hard_pairs.h"

namespace jloss {
JLOSS_KERNEL(batch_hard_miner_kernel, HardPairs, hard_pairs_loop)
}  // namespace jloss

#ifdef JLOSS_HOST
#include <c10/core/impl/TorchDispatchModeTLS.h>
#include <jloss/metric_learning.h>

#include <unordered_map>

#include "core/loss.h"
#include "core/rows.h"
#include "metric_learning/distance.h"

namespace jloss {
namespace {

using at::Tensor;

/// Every distance of two sets of rows, as a matrix; similarities with the sign turned.
Tensor all_distances(Tensor x, Tensor y, int64_t distance, bool normalize) {
  if (normalize || distance == kCosine) {
    x = normalized(x);
    y = normalized(y);
  }
  switch (distance) {
    case kEuclidean:
      return at::cdist(x, y, 2, /*compute_mode=*/2);
    case kSquaredEuclidean:
      return at::cdist(x, y, 2, /*compute_mode=*/2).square();
    case kCosine:
    case kDot:
      return -x.matmul(y.t());
    default: {
      const auto spread = x.var(1, /*unbiased=*/true, /*keepdim=*/true);
      x = x - x.mean(1, /*keepdim=*/true);
      y = y - y.mean(1, /*keepdim=*/true);
      return at::cdist(x, y, 2, /*compute_mode=*/2).square() / (x.sym_size(1) - 1) / spread;
    }
  }
}

std::vector<Tensor> mine_composed(const Tensor& x, const Tensor& labels, const Tensor& y,
                                  const Tensor& other_labels, bool self, int64_t distance,
                                  bool normalize) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const auto d = all_distances(x, y, distance, normalize);
  const auto fine = d.isnan().logical_not();
  const auto same = labels.unsqueeze(1) == other_labels.unsqueeze(0);
  auto positive = same.logical_and(fine);
  if (self) {
    const auto places = at::arange(at::Scalar(labels.sym_size(0)), labels.options());
    positive = positive.logical_and(places.unsqueeze(1) != places.unsqueeze(0));
  }
  const auto negative = same.logical_not().logical_and(fine);
  const auto farthest = at::where(positive, d, -kInf).argmax(1);
  const auto nearest = at::where(negative, d, kInf).argmin(1);
  const auto anchors = positive.any(1).logical_and(negative.any(1)).nonzero().squeeze(1);
  return {anchors, farthest.index_select(0, anchors), nearest.index_select(0, anchors)};
}

/// Labels numbered from 0, as numbers of the kernel's type.
class Numbering {
 public:
  explicit Numbering(const Tensor& like) : like_(like) {}

  Tensor operator()(const Tensor& labels) {
    const auto from = labels.contiguous();
    const auto out = at::empty({labels.numel()}, like_.options());
    AT_DISPATCH_FLOATING_TYPES(like_.scalar_type(), "batch_hard_miner", [&] {
      for (int64_t i = 0; i < labels.numel(); ++i) {
        const auto at = numbers_.try_emplace(from.const_data_ptr<int64_t>()[i],
                                             static_cast<int64_t>(numbers_.size()));
        out.mutable_data_ptr<scalar_t>()[i] = static_cast<scalar_t>(at.first->second);
      }
    });
    return out;
  }

 private:
  const Tensor& like_;
  std::unordered_map<int64_t, int64_t> numbers_;
};

/// Rows as the tiles take them, and which of them the tiles cannot take.
struct Prepared {
  Tensor rows, odd, size;
};

/// The keys of cosine are squared distances of unit rows, those of snr squared distances of rows
/// without their mean.
Prepared prepare(const Tensor& x, int64_t distance, bool normalize) {
  Tensor rows, odd;  // rows: a copy, changed in place
  const double most = x.scalar_type() == at::kDouble ? 1e120 : 1e12;
  if (normalize || distance == kCosine) {
    const auto norm = x.norm(2, 1, /*keepdim=*/true);
    rows = x / norm.clamp_min(1e-12);
    odd = ((norm > 1e-11).logical_and(norm < most)).logical_not().squeeze(1);
  } else {
    rows = x.clone();
    odd = (x.norm(2, 1) < most).logical_not();
  }
  auto size = rows.norm(2, 1);
  if (distance == kSnr) {
    const auto scale = rows.abs().amax(1);
    rows.sub_(rows.mean(1, /*keepdim=*/true));
    // A row without variance: its distances are infinite or NaN.
    odd = odd.logical_or((rows.norm(2, 1) > scale * 1e-6).logical_not());
  }
  rows.masked_fill_(odd.unsqueeze(1), 0);
  return {rows, odd, size.masked_fill(odd, 0)};
}

std::vector<Tensor> mine(const Tensor& x, const Tensor& labels, const Tensor& y,
                         const Tensor& other_labels, bool self, int64_t distance, bool normalize) {
  HardPairs a;
  a.is_double = x.scalar_type() == at::kDouble;
  a.distance = distance;
  a.normalize = normalize;
  a.self = self;
  a.pairs.rows = x.size(0);
  a.pairs.cols = y.size(0);
  a.pairs.dim = x.size(1);
  const auto options = labels.options();
  const auto positive = at::empty({a.pairs.rows}, options);
  const auto negative = at::empty({a.pairs.rows}, options);
  a.positive = positive.mutable_data_ptr<int64_t>();
  a.negative = negative.mutable_data_ptr<int64_t>();

  // Distances do not change if all rows are moved, but rounding does: rows that lie close together,
  // as those of a collapsed network do, are told apart by their differences from the mean.
  auto left = prepare(x, distance, normalize);
  auto right = self ? left : prepare(y, distance, normalize);
  const bool by_product = distance == kDot && !normalize;
  a.spread = std::max(left.size.amax().item<double>(), right.size.amax().item<double>());
  const auto centre = right.rows.mean(0, /*keepdim=*/true);
  if (by_product) {  // which does change, so that one side stays as it is
    right.rows = right.rows - centre;
  } else {
    right.rows.sub_(centre);
    left.rows = self ? right.rows : left.rows.sub_(centre);
  }
  left.size = left.rows.norm(2, 1);
  right.size = right.rows.norm(2, 1);
  const auto offsets = (by_product ? at::zeros_like(right.size) : right.size.square())
                           .masked_fill(right.odd, std::numeric_limits<double>::quiet_NaN());
  a.pairs.alpha = by_product ? -1 : -2;
  a.pairs.x = rows_of(left.rows);
  a.pairs.y = rows_of(right.rows);
  a.offsets = offsets.const_data_ptr();
  a.row_size = left.size.const_data_ptr();
  a.col_size = right.size.const_data_ptr();
  a.row_odd = static_cast<const uint8_t*>(left.odd.const_data_ptr());
  a.col_odd = static_cast<const uint8_t*>(right.odd.const_data_ptr());
  Numbering numbering(x);
  const auto classes = numbering(labels);
  const auto other_classes = self ? classes : numbering(other_labels);
  a.row_class = classes.const_data_ptr();
  a.col_class = other_classes.const_data_ptr();
  a.x = rows_of(x);
  a.y = rows_of(y);
  {
    const SerialBlas serial;
    batch_hard_miner_kernel(a);
  }
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < a.pairs.rows; ++i) {
    if (a.positive[i] >= 0 && a.negative[i] >= 0) {
      kept.push_back(i);
    }
  }
  std::vector<Tensor> out;
  for (int k = 0; k < 3; ++k) {
    out.push_back(at::empty({static_cast<int64_t>(kept.size())}, options));
    auto* to = out.back().mutable_data_ptr<int64_t>();
    for (size_t i = 0; i < kept.size(); ++i) {
      to[i] = k == 0 ? kept[i] : k == 1 ? a.positive[kept[i]] : a.negative[kept[i]];
    }
  }
  return out;
}

void check_labels(const char* name, const char* which, const Tensor& labels, const Arg& rows) {
  check_long({name, which, labels});
  TORCH_CHECK_VALUE(labels.dim() == 1 && labels.sym_size(0) == rows.tensor.sym_size(0), name,
                    ": expected ", which, " of shape [", rows.tensor.sym_size(0),
                    "], one entry a row of ", rows.name, ", got ", labels.sym_sizes());
  check_device({name, which, labels}, rows);
}

}  // namespace

std::vector<Tensor> batch_hard_miner(const Tensor& embeddings, const Tensor& labels,
                                     const std::optional<Tensor>& ref_emb,
                                     const std::optional<Tensor>& ref_labels, int64_t distance,
                                     bool normalize) {
  const char* const name = "batch_hard_miner";
  const Arg e{name, "embeddings", embeddings};
  check_floating(e);
  TORCH_CHECK_VALUE(embeddings.dim() == 2, name, ": expected embeddings of shape (N, D), got ",
                    embeddings.sym_sizes());
  check_labels(name, "labels", labels, e);
  const auto ref = value_or_undefined(ref_emb), other = value_or_undefined(ref_labels);
  TORCH_CHECK_VALUE(ref.defined() == other.defined(), name,
                    ": expected ref_emb and ref_labels together, got ",
                    ref.defined() ? "ref_emb" : "ref_labels", " alone");
  const bool self = !ref.defined();
  if (!self) {
    const Arg r{name, "ref_emb", ref};
    check_like(r, e);
    TORCH_CHECK_VALUE(ref.dim() == 2 && ref.sym_size(1) == embeddings.sym_size(1), name,
                      ": expected ref_emb of shape (M, ", embeddings.sym_size(1), "), got ",
                      ref.sym_sizes());
    check_labels(name, "ref_labels", other, r);
  }
  check_distance(name, distance);

  const at::NoGradGuard no_grad;
  auto x = embeddings.detach();
  if (x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16) {
    x = x.to(at::kFloat);
  }
  const auto y = self ? x : ref.detach().to(x.scalar_type());
  const auto& z = self ? labels : other;
  // The variance of fewer than two elements is NaN, and NaN is never mined.
  if (x.sym_size(0) == 0 || y.sym_size(0) == 0 || (distance == kSnr && x.sym_size(1) < 2)) {
    const auto none = at::empty({0}, labels.options());
    return {none, none.clone(), none.clone()};
  }
  return within(name, [&] {
    const bool fused = !c10::impl::dispatch_mode_enabled() && is_plain(x) && is_plain(y) &&
                       is_plain(labels) && is_plain(z);
    return (fused ? mine : mine_composed)(x, labels, y, z, self, distance, normalize);
  });
}

JLOSS_TUPLE_OPERATOR(
    "batch_hard_miner(Tensor embeddings, Tensor labels, Tensor? ref_emb=None, "
    "Tensor? ref_labels=None, int distance=0, bool normalize=True) -> (Tensor, Tensor, Tensor)",
    batch_hard_miner, 3)

}  // namespace jloss
#endif
