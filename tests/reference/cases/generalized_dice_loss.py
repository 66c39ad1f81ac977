"""generalized_dice_loss: composed from the row's formula. MONAI, its oracle, computes the class
weights in float32 whatever the dtype, so it only checks the composed form."""
import math

import torch

from harness import (case, fixed, full, one_hot, put, reductions, regions, run, same, simplex,
                     uniform)

ORACLE = "composed torch, tests/reference/cases/generalized_dice_loss.py: oracle()"
PEERS = ("monai",)
DIFFERENTIABLE = ("input",)


def oracle(input, target, w_type="square", smooth_nr=1e-5, smooth_dr=1e-5, batch=False,
           soft_label=False, reduction="mean"):
    axes = [0] * batch + list(range(2, input.dim()))

    def total(x):
        return x.sum(axes) if axes else x
    g = total(target)
    both = total(input) + g
    tp = (both - total((input - target).abs())) / 2 if soft_label else total(input * target)
    w = {"square": 1 / (g * g), "simple": 1 / g, "uniform": torch.ones_like(g)}[w_type]
    absent = w.isinf()
    w = torch.where(absent, 0, w)
    w = torch.where(absent, w.amax(-1, keepdim=True), w)
    loss = 1 - (2 * (w * tp).sum(-1) + smooth_nr) / ((w * both).sum(-1) + smooth_dr)
    return loss if reduction == "none" else getattr(loss, reduction)()


def maps(n, c, *space):
    return {"input": simplex(n, c, *space), "target": one_hot(n, c, *space)}


def soft(n, c, *space):
    return {"input": simplex(n, c, *space), "target": simplex(n, c, *space)}


# class 1 is nowhere, class 2 only in the second sample, the third sample is empty
GAPS = put(one_hot(3, 4, 7), ((slice(None), 1), 0.0), ((0, 2), 0.0), ((1, 2), 1.0), (2, 0.0))
ABSENT = {"input": simplex(3, 4, 7), "target": GAPS}

CASES = [
    *regions(maps),
    *reductions(maps(3, 4, 5), prefix="batch-", brief=True, twice=True, batch=True),
    *[case(f"{w_type}{'-batch' * batch}", maps(3, 4, 5), w_type=w_type, batch=batch, twice=True)
      for w_type in ("simple", "uniform") for batch in (False, True)],
    *[case(f"absent-{w_type}{'-batch' * batch}", ABSENT, w_type=w_type, batch=batch,
           reduction="none") for w_type in ("square", "simple", "uniform")
      for batch in (False, True)],
    *[case(f"soft-label-{w_type}", soft(3, 4, 5), soft_label=True, w_type=w_type, upstream=-2.5)
      for w_type in ("square", "simple", "uniform")],
    case("soft-label-batch", soft(3, 4, 5), soft_label=True, batch=True),
    case("soft-target", soft(3, 4, 5)),
    case("smooth-0", {"input": simplex(2, 2, 9), "target": put(full(2, 2, 9, value=0.0), (
        (0, 0, slice(4)), 1.0), ((0, 1, slice(4, 9)), 1.0), ((1, 0, slice(7)), 1.0),
        ((1, 1, slice(7, 9)), 1.0))}, smooth_nr=0.0, smooth_dr=0.0),
    case("smooth-1", maps(3, 4, 5), smooth_nr=1.0, smooth_dr=1.0),
    case("smooth-apart", maps(3, 4, 5), smooth_nr=0.5, smooth_dr=1e-3),
    case("exact", {"input": GAPS, "target": GAPS}, reduction="none"),
    case("all-absent", {"input": uniform(2, 3, 5), "target": full(2, 3, 5, value=0.0)},
         smooth_nr=0.5, smooth_dr=2.0, reduction="none"),
    case("one-element", {"input": fixed([[0.3]]), "target": fixed([[1.0]])}),
    case("nonfinite", {"input": put(simplex(3, 2, 5), ((0, 0, 1), math.nan)),
                       "target": one_hot(3, 2, 5)}, reduction="none", tags=["nonfinite"]),
]


def crosscheck():
    """MONAI, to the accuracy of its float32 weights."""
    from monai.losses import GeneralizedDiceLoss
    for w_type in ("square", "simple", "uniform"):
        for batch in (False, True):
            for inputs, soft_label in ((ABSENT, False), (soft(3, 4, 5), True)):
                options = {"w_type": w_type, "batch": batch, "soft_label": soft_label}
                peer = GeneralizedDiceLoss(reduction="none", **options)
                mine = run(oracle, case("dice", inputs, reduction="none", **options))
                same(mine, run(lambda input, target: peer(input, target).reshape(mine.shape),
                               case("dice", inputs)), f"MONAI {options}", 1e-6)
