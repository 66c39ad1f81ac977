"""huber_loss: PyTorch's own."""
import math

import torch.nn.functional as F

from harness import case, elementwise, fixed, full, layouts, normal, reductions, signs, uniform

ORACLE = "F.huber_loss(input, target, reduction=reduction, delta=delta, weight=weight)"
DIFFERENTIABLE = ("input", "target")


def oracle(input, target, weight=None, reduction="mean", delta=1.0):
    return F.huber_loss(input, target, reduction=reduction, delta=delta, weight=weight)


def pair(*shape):
    return {"input": normal(*shape, scale=1.5), "target": normal(*shape)}


def weighted(*shape):
    return {**pair(*shape), "weight": uniform(*shape, high=2.0)}


CASES = [
    *elementwise(pair),
    *reductions(weighted(5, 7), prefix="weight-", twice=True),
    *layouts(weighted(6, 19), ["input", "target", "weight"], prefix="weight-layout-"),
    *[case(f"delta-{delta}", pair(5, 7), delta=delta, twice=True) for delta in (0.1, 0.5, 2.5)],
    case("delta-large", pair(9), delta=1e4),
    case("delta-weight", weighted(5, 7), delta=0.5, reduction="sum"),
    *reductions({**pair(5, 7), "weight": signs(5, 7)}, prefix="weight-signs-", brief=True),
    case("at-delta", {"input": fixed([1.0, -1.0, 0.0, 2.0]), "target": full(4, value=0.0)},
         reduction="none", tags=["kink"]),
    case("equal", {"input": full(9, value=0.3), "target": full(9, value=0.3)}),
    case("magnitudes", {"input": fixed([1e4, -1e4, 1e-15, 1e15, 0.0]),
                        "target": fixed([-1e4, -1e4 + 1, 0.0, 1.0, 0.0])}, reduction="none"),
    case("nonfinite", {"input": fixed([math.nan, math.inf, -math.inf, math.inf, 1.0, 2.0]),
                       "target": fixed([0.0, 0.0, 1.0, math.inf, math.nan, 1.0])},
         reduction="none", tags=["nonfinite"]),
]
