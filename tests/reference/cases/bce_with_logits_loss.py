"""bce_with_logits_loss: PyTorch's own."""
import math

import torch.nn.functional as F

from harness import (HALF_NOTE, WITH_BFLOAT16, binary, case, elementwise, fixed, layouts, normal,
                     reductions, signs, uniform)

ORACLE = ("F.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction, "
          "pos_weight=pos_weight)." + HALF_NOTE)
DIFFERENTIABLE = ("input", "target")


def oracle(input, target, weight=None, pos_weight=None, reduction="mean"):
    return F.binary_cross_entropy_with_logits(input, target, weight, reduction=reduction,
                                              pos_weight=pos_weight)


def hard(*shape):
    return {"input": normal(*shape, scale=2.0), "target": binary(*shape)}


def soft(*shape):
    return {"input": normal(*shape, scale=2.0), "target": uniform(*shape)}


def weight(*shape):
    return {"weight": uniform(*shape, high=2.0)}


def pos_weight(*shape):
    return {"pos_weight": uniform(*shape, low=0.25, high=4.0)}


LOGITS = fixed([1e4, 1e4, -1e4, -1e4, 0.0, 0.0, -0.0, 88.0, -104.0, 17.0, -17.0])
TARGETS = fixed([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.5, 1.0, 1.0, 0.0, 1.0])
EXTREME = {"input": LOGITS, "target": TARGETS}

CASES = [
    *elementwise(hard, dtypes=WITH_BFLOAT16),
    *reductions(soft(7, 9), prefix="soft-", twice=True),
    *reductions({**soft(7, 9), **weight(7, 9)}, prefix="weight-", brief=True),
    *reductions({**hard(7, 9), **pos_weight(9)}, prefix="pos-weight-", brief=True, twice=True),
    *reductions({**soft(7, 9), **weight(7, 9), **pos_weight(9)}, prefix="both-", brief=True,
                twice=True, dtypes=WITH_BFLOAT16),
    case("weight-broadcast-row", {**soft(7, 9), **weight(9)}),
    case("weight-broadcast-column", {**soft(7, 9), **weight(7, 1)}),
    case("weight-broadcast-one", {**soft(7, 9), **weight(1)}),
    *reductions({**soft(7, 9), "weight": signs(7, 9), "pos_weight": signs(9)},
                prefix="weight-signs-", brief=True),
    case("pos-weight-full", {**soft(7, 9), **pos_weight(7, 9)}),
    case("pos-weight-one", {**soft(7, 9), **pos_weight(1)}),
    case("pos-weight-image", {**hard(2, 3, 4, 5), **pos_weight(3, 1, 1)}),
    *layouts({**soft(6, 19), **weight(6, 19), **pos_weight(6, 19)},
             ["input", "target", "weight", "pos_weight"], prefix="weights-layout-"),
    *layouts({**soft(2, 3, 4, 5), **pos_weight(3, 1, 1)}, ["input"], ["channels_last"],
             "pos-weight-layout-"),
    *reductions(EXTREME, prefix="extreme-", tags=["extreme"]),
    case("extreme-weights", {**EXTREME, **weight(11), **pos_weight(1)}, reduction="none",
         tags=["extreme"]),
    case("nonfinite", {"input": fixed([math.inf, math.inf, -math.inf, -math.inf, math.nan, 1.0]),
                       "target": fixed([1.0, 0.0, 1.0, 0.0, 1.0, math.nan])},
         reduction="none", tags=["nonfinite"]),
]
