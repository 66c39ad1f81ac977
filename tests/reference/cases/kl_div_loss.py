"""kl_div_loss: PyTorch's own."""
import math

import torch.nn.functional as F

from harness import (binary, case, elementwise, fixed, layouts, log_simplex, put, reductions,
                     simplex, uniform)

ORACLE = "F.kl_div(input, target, reduction=reduction, log_target=log_target)"
DIFFERENTIABLE = ("input", "target")
EVERY = ("none", "mean", "sum", "batchmean")
LOG = {"log_target": True}


def oracle(input, target, log_target=False, reduction="mean"):
    return F.kl_div(input, target, reduction=reduction, log_target=log_target)


def pair(*shape):
    """Probabilities along the last axis, and the logarithms of others."""
    if not shape:
        return {"input": fixed(-0.75), "target": fixed(0.375)}
    return {"input": log_simplex(*shape, axis=-1), "target": simplex(*shape, axis=-1)}


def logs(*shape):
    return {"input": pair(*shape)["input"],
            "target": log_simplex(*shape, axis=-1) if shape else fixed(-0.5)}


ZEROS = {"input": log_simplex(4, 5), "target": put(simplex(4, 5), ((slice(None), 1), 0.0),
                                                   (2, 0.0), ((2, 0), 1.0))}

CASES = [
    *elementwise(pair, modes=EVERY),
    case("scalar-batchmean", pair(), reduction="batchmean"),
    case("unnormalised", {"input": uniform(5, 7, low=-3.0), "target": uniform(5, 7, low=0.01)}),
    *reductions(logs(7, 9), EVERY, prefix="log-", twice=True, **LOG),
    *layouts(logs(6, 19), ["input", "target"], prefix="log-layout-", **LOG),
    case("log-batchmean-volume", logs(3, 2, 5, 4), reduction="batchmean", **LOG),
    # At a probability 0 the gradient of the target is NaN.
    *reductions(ZEROS, EVERY, prefix="zero-target-", brief=True, twice=True, tags=["kink"]),
    case("one-hot-target", {"input": log_simplex(1, 9), "target": binary(1, 9)}, reduction="sum",
         tags=["kink"]),
    case("extreme", {"input": fixed([-1e4, -1e4, 0.0, -104.0, -1e-8]),
                     "target": fixed([1.0, 1e-8, 1.0, 0.5, 1e-30])}, reduction="none",
         tags=["extreme"]),
    case("log-extreme", {"input": fixed([-1e4, 0.0, -104.0, -1e-8]),
                         "target": fixed([0.0, -1e4, -1e-8, -104.0])}, reduction="none",
         tags=["extreme"], **LOG),
    case("nonfinite", {"input": fixed([-math.inf, -math.inf, math.nan, -1.0, -1.0]),
                       "target": fixed([0.5, 0.0, 0.5, math.nan, math.inf])}, reduction="none",
         tags=["nonfinite"]),
    case("log-nonfinite", {"input": fixed([-math.inf, -math.inf, math.nan, -1.0, -1.0]),
                           "target": fixed([-0.5, -math.inf, -0.5, math.nan, -math.inf])},
         reduction="none", tags=["nonfinite"], **LOG),
]
