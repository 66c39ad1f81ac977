"""focal_loss: the softmax form, composed from the row's formula; the seed's snippet is the case
of one alpha and no ignored target."""
import math

import torch
import torch.nn.functional as F

from harness import (SIZES, WORDS, case, empties, fixed, full, integers, layouts, normal, put,
                     reductions, run, same, signs, sizes, uniform)

ORACLE = ("composed torch: nll = F.cross_entropy(input, target, reduction='none'); "
          "alpha_y * (-expm1(-nll))**gamma * F.cross_entropy(..., label_smoothing), 0 where "
          "ignored; mean over the others")
DIFFERENTIABLE = ("input",)
SMOOTH = {"label_smoothing": 0.1}


def oracle(input, target, alpha=None, gamma=2.0, ignore_index=-100, label_smoothing=0.0,
           reduction="mean"):
    def cross_entropy(smoothing):
        return F.cross_entropy(input, target, ignore_index=ignore_index, reduction="none",
                               label_smoothing=smoothing)
    kept = target != ignore_index
    base = -torch.expm1(-cross_entropy(0.0))
    inside = base > 0
    factor = torch.where(inside, torch.where(inside, base, 1) ** gamma, 0.0 ** gamma)
    factor = torch.where(base.isnan(), base, factor)
    loss = factor * cross_entropy(label_smoothing)
    if alpha is not None:
        loss = loss * (alpha if alpha.dim() == 0 else alpha[torch.where(kept, target, 0)])
    loss = torch.where(kept, loss, 0)
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss[kept].mean()


def index(n, c, *space, ignore=None):
    """Logits and class indices; every third target is `ignore` if that is given."""
    target = integers(n, *space, high=c)
    if ignore is not None:
        target = put(target, (slice(None, None, 3), ignore))
    return {"input": normal(n, c, *space, scale=2.0), "target": target}


def per_class(inputs, c):
    return {**inputs, "alpha": uniform(c, low=0.1, high=1.5)}


def scalar(inputs):
    return {**inputs, "alpha": fixed(0.25)}


EXTREME = {"input": fixed([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [1e4, 1e4, 1e4], [0.0, 0.0, 0.0],
                           [-1e4, -1e4, 1e4], [88.0, -104.0, 0.0], [17.0, 0.0, -17.0]]),
           "target": fixed([0, 1, 2, 0, 1, 2, 0])}

CASES = [
    *sizes(lambda c: index(1 if c == 1000 else 2, c), "classes"),
    *sizes(lambda n: index(n, 3), "rows", SIZES[:-2]),
    case("rows-1025", index(1025, 2)),
    case("one-element", index(1, 1)),
    *sizes(lambda n: index(2, 3, n), "inner", (1, 2, 3, 7, 15, 17, 33, 65, 127)),
    *reductions(index(7, 5), twice=True),
    *reductions(scalar(index(7, 5)), prefix="alpha-"),
    *reductions(per_class(index(7, 5, ignore=-100), 5), prefix="alpha-class-", twice=True),
    *reductions(index(7, 5), prefix="smooth-", twice=True, **SMOOTH),
    *reductions(per_class(index(7, 5, ignore=-100), 5), prefix="alpha-class-smooth-", brief=True,
                twice=True, gamma=1.5, **SMOOTH),
    *reductions(per_class(index(2, 3, 2, 5, ignore=2), 3), prefix="image-", brief=True, twice=True,
                ignore_index=2),
    *[case(f"gamma-{gamma}", index(7, 5), gamma=gamma, twice=True, upstream=-2.5)
      for gamma in (0.0, 0.5, 1.0, 1.5, 2.5, 3.0, 5.0)],
    case("volume", index(2, 3, 2, 3, 4)),
    case("ignored-255", index(7, 5, ignore=255), ignore_index=255),
    *reductions({**index(7, 5), "alpha": signs(5)}, prefix="alpha-signs-", brief=True),
    case("alpha-zero-class", {**index(9, 4), "alpha": fixed([0.0, 1.0, 2.0, 0.0])}),
    *layouts(index(3, 17), ["input"], (*WORDS, "sliced"), prefix="rows-"),
    *layouts(index(2, 3, 9), ["input"], prefix="sequence-"),
    *layouts(per_class(index(2, 3, 5, 4), 3), ["input"], (*WORDS, "channels_last"), "image-"),
    case("target-transposed", index(2, 5, 3, 4), layout={"target": "transposed"}),
    case("alpha-strided", per_class(index(9, 5), 5), layout={"alpha": "strided"}),
    case("one-row", index(1, 5)),
    case("one-class", index(5, 1)),
    *reductions({"input": normal(4, 5), "target": full(4, value=-100)}, prefix="all-ignored-",
                tags=["ignored"]),
    case("all-ignored-smooth", {"input": normal(4, 5), "target": full(4, value=-100)},
         tags=["ignored"], **SMOOTH),
    *empties(index(0, 5)),
    *empties(index(0, 5, 3, 4), ["mean"], prefix="empty-image-"),
    *[case(f"extreme-gamma-{gamma}", EXTREME, gamma=gamma, reduction="none", tags=["extreme"])
      for gamma in (0.0, 0.5, 1.0, 2.0, 2.5)],
    case("extreme-smooth", EXTREME, tags=["extreme"], **SMOOTH),
    case("nan", {"input": put(normal(3, 4), ((1, 2), math.nan)), "target": fixed([0, 1, 2])},
         reduction="none", tags=["nonfinite"]),
    case("minus-infinity", {"input": put(normal(3, 4), ((1, 2), -math.inf)),
                            "target": fixed([0, 1, 2])}, reduction="none", tags=["nonfinite"]),
]


def crosscheck():
    """The seed's snippet; cross entropy at gamma 0."""
    def seed(input, target):
        nll = F.cross_entropy(input, target, reduction="none")
        return (0.25 * (1 - torch.exp(-nll)) ** 2 * nll).mean()
    inputs = index(7, 5)
    same(run(oracle, case("focal", scalar(inputs))),
         run(lambda alpha, **t: seed(**t), case("focal", scalar(inputs))), "seed 000")
    inputs = case("focal", index(7, 5, ignore=-100), label_smoothing=0.1)
    same(run(lambda **a: oracle(gamma=0.0, **a), inputs), run(F.cross_entropy, inputs), "gamma 0")
