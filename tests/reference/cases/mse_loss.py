"""mse_loss: PyTorch's own."""
import math

import torch.nn.functional as F

from harness import (HALF_NOTE, WITH_BFLOAT16, case, elementwise, fixed, full, normal, put,
                     reductions, signs, uniform)

ORACLE = "F.mse_loss(input, target, reduction=reduction, weight=weight)." + HALF_NOTE
DIFFERENTIABLE = ("input", "target")


def oracle(input, target, weight=None, reduction="mean"):
    return F.mse_loss(input, target, reduction=reduction, weight=weight)


def pair(*shape):
    return {"input": normal(*shape), "target": normal(*shape)}


def weighted(*shape):
    return {**pair(*shape), "weight": uniform(*shape, high=2.0)}


CASES = [
    *elementwise(pair, dtypes=WITH_BFLOAT16),
    *reductions(weighted(5, 7), prefix="weight-", twice=True, dtypes=WITH_BFLOAT16),
    case("weight-layouts", weighted(6, 19),
         layout={"input": "strided", "target": "expanded", "weight": "transposed"}),
    *reductions({**pair(5, 7), "weight": signs(5, 7)}, prefix="weight-signs-", brief=True),
    case("weight-zeros", {**pair(9), "weight": put(uniform(9), (slice(4), 0.0))}),
    case("weight-all-zero", {**pair(9), "weight": full(9, value=0.0)}, tags=["nonfinite"]),
    case("equal", {"input": full(9, value=0.3), "target": full(9, value=0.3)}),
    case("magnitudes", {"input": fixed([1e4, -1e4, 1e-20, 1e15, 0.0, -0.0]),
                        "target": fixed([-1e4, -1e4 + 1, 0.0, 1.0, 0.0, 0.0])}, reduction="none"),
    case("nonfinite", {"input": fixed([math.nan, math.inf, -math.inf, math.inf, 1.0, 2.0]),
                       "target": fixed([0.0, 0.0, 1.0, math.inf, math.nan, 1.0])},
         reduction="none", tags=["nonfinite"]),
]
