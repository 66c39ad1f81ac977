"""sigmoid_focal_loss: torchvision's; composed from the row's formula where torchvision has no
such option (weights, alpha_mode=scalar) and at 1 - p_t = 0 with gamma < 1. The float64 truth is
always the composed form: torchvision's 1 - p_t cancels for confident elements."""
import math

import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from harness import (binary, case, elementwise, fixed, layouts, normal, reductions, run, same,
                     signs, uniform)

ORACLE = ("torchvision.ops.sigmoid_focal_loss(input, target, alpha, gamma, reduction); with "
          "weight, pos_weight, alpha_mode=scalar or extreme logits under gamma < 1, and for the "
          "float64 truth: composed torch, tests/reference/cases/sigmoid_focal_loss.py: truth()")
PEERS = ("torchvision",)
DIFFERENTIABLE = ("input", "target")


def oracle(input, target, weight=None, pos_weight=None, alpha=0.25, gamma=2.0,
           alpha_mode="balanced", reduction="mean"):
    border = gamma < 1 and bool((input.abs() > 16).any())
    if weight is not None or pos_weight is not None or alpha_mode == "scalar" or border:
        return truth(input, target, weight, pos_weight, alpha, gamma, alpha_mode, reduction)
    return sigmoid_focal_loss(input, target, alpha, gamma, reduction)


def truth(input, target, weight=None, pos_weight=None, alpha=0.25, gamma=2.0,
          alpha_mode="balanced", reduction="mean"):
    base = torch.sigmoid(input) * (1 - target) + torch.sigmoid(-input) * target
    inside = base != 0
    factor = torch.where(inside, torch.where(inside, base, 1) ** gamma, 0.0 ** gamma)
    loss = factor * F.binary_cross_entropy_with_logits(input, target, pos_weight=pos_weight,
                                                       reduction="none")
    if alpha >= 0:
        loss = loss * (alpha if alpha_mode == "scalar"
                       else alpha * target + (1 - alpha) * (1 - target))
    if weight is not None:
        loss = weight * loss
    return loss if reduction == "none" else getattr(loss, reduction)()


def hard(*shape):
    return {"input": normal(*shape, scale=2.0), "target": binary(*shape)}


def soft(*shape):
    return {"input": normal(*shape, scale=2.0), "target": uniform(*shape)}


def weights(shape, classes):
    return {"weight": uniform(*shape, high=2.0), "pos_weight": uniform(*classes, high=4.0)}


EXTREME = {"input": fixed([1e4, 1e4, -1e4, -1e4, 0.0, 0.0, 88.0, -104.0, 17.0, -17.0]),
           "target": fixed([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0])}

CASES = [
    *elementwise(hard),
    *reductions(soft(7, 9), prefix="soft-", twice=True),
    *[case(f"gamma-{gamma}", soft(5, 7), gamma=gamma, twice=True)
      for gamma in (0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 5.0)],
    *[case(f"alpha-{alpha}", hard(5, 7), alpha=alpha, upstream=-2.5)
      for alpha in (-1.0, 0.0, 0.5, 1.0)],
    case("alpha-off-gamma-0", hard(5, 7), alpha=-1.0, gamma=0.0),
    *reductions(soft(5, 7), prefix="scalar-alpha-", alpha_mode="scalar", brief=True, twice=True),
    case("scalar-alpha-1", hard(5, 7), alpha_mode="scalar", alpha=1.0),
    case("scalar-alpha-off", hard(5, 7), alpha_mode="scalar", alpha=-1.0),
    *reductions({**soft(5, 7), **weights((5, 7), (7,))}, prefix="weights-", brief=True,
                twice=True),
    *reductions({**soft(5, 7), "weight": signs(5, 7), "pos_weight": signs(7)},
                prefix="weight-signs-", brief=True),
    case("weight-row", {**soft(5, 7), "weight": uniform(7)}),
    case("pos-weight-row", {**hard(5, 7), "pos_weight": uniform(7, high=4.0)}, gamma=1.5),
    *layouts({**soft(3, 5, 4, 6), **weights((5, 1, 1), (5, 1, 1))}, ["input", "target"],
             ["strided", "channels_last"], "weights-layout-"),
    *[case(f"extreme-gamma-{gamma}", EXTREME, gamma=gamma, reduction="none", tags=["extreme"])
      for gamma in (0.0, 0.5, 1.0, 2.0, 2.5)],
    case("extreme-weights", {**EXTREME, **weights((10,), (1,))}, tags=["extreme"]),
    case("nan", {"input": fixed([math.nan, 1.0, 0.5]), "target": fixed([1.0, math.nan, 1.0])},
         reduction="none", tags=["nonfinite"]),
    case("infinite", {"input": fixed([math.inf, math.inf, -math.inf, -math.inf]),
                      "target": fixed([1.0, 0.0, 1.0, 0.0])}, reduction="none",
         constant=("input", "target"), tags=["nonfinite"]),
]


def crosscheck():
    """The composed form against torchvision."""
    for gamma, alpha in ((2.0, 0.25), (0.5, -1.0), (0.0, 0.5), (1.5, 1.0)):
        inputs = case("focal", soft(5, 7), alpha=alpha, gamma=gamma, reduction="none")
        same(run(truth, inputs), run(lambda input, target, **k: sigmoid_focal_loss(
            input, target, **k), inputs), "torchvision")
