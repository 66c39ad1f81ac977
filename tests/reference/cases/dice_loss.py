"""dice_loss: composed from the row's formula, as no peer has all of its options; checked
against the seeds, MONAI, segmentation_models_pytorch and kornia where each has the option."""
import math

import torch
import torch.nn.functional as F

from harness import (HALF_NOTE, WITH_BFLOAT16, WORDS, binary, case, fixed, full, integers,
                     layouts, normal, put, reductions, regions, run, same, signs, simplex,
                     uniform)

ORACLE = "composed torch, tests/reference/cases/dice_loss.py: oracle()." + HALF_NOTE
PEERS = ("monai", "segmentation_models_pytorch", "kornia")
DIFFERENTIABLE = ("input", "target")


def oracle(input, target, weight=None, mode="binary", from_logits=False, dims="per_sample",
           average="micro", smooth=1e-6, smooth_nr=None, smooth_dr=None, squared=False,
           soft_label=False, classes=None, weight_mode="plain", absent="count", ignore_index=None,
           include_background=True, reduction="mean"):
    p, g = _maps(input, target, mode, from_logits, ignore_index)
    if not include_background:
        p, g = p[:, 1:], g[:, 1:]
    if classes is not None:
        p, g = p[:, classes], g[:, classes]
    nr = smooth if smooth_nr is None else smooth_nr
    dr = smooth if smooth_dr is None else smooth_dr
    axes = [0] * (dims == "batch") + list(range(2, p.dim()))

    def total(x):
        return x.sum(axes) if axes else x
    both = total(p * p) + total(g * g) if squared else total(p) + total(g)
    tp = total(p * g)
    if soft_label:
        tp = (both - total((p - g) ** 2 if squared else (p - g).abs())) / 2
    w = torch.ones_like(tp) if weight is None else weight.expand_as(tp)
    if average == "micro":
        loss = 1 - (2 * (w * tp).sum(-1) + nr) / ((w * both).sum(-1) + dr)
    else:
        loss = 1 - (2 * tp + nr) / (both + dr)
        loss = w * loss if average == "none" else _macro(loss, w, total(g) > 0, weight_mode, absent)
    return loss if reduction == "none" else getattr(loss, reduction)()


def _maps(input, target, mode, from_logits, ignore_index):
    """Prediction and target as maps (N, C, *), zero where ignored."""
    p = input
    if from_logits:
        p = torch.softmax(p, 1) if mode == "multiclass" else torch.sigmoid(p)
    valid = torch.ones_like(target, dtype=torch.bool) if ignore_index is None \
        else target != ignore_index
    g = torch.where(valid, target, 0)
    if target.dim() < input.dim():
        g = F.one_hot(g, input.size(1)).movedim(-1, 1)
        valid = valid.unsqueeze(1)
    return torch.where(valid, p, 0), g.to(p) * valid


def _macro(loss, w, present, weight_mode, absent):
    """The mean over the classes, the last axis."""
    if absent == "zero":
        loss = torch.where(present, loss, 0)
    kept = present.to(loss) if absent == "skip" else torch.ones_like(loss)
    divisor = (kept * w if weight_mode == "normalized" else kept).sum(-1)
    nothing = (divisor == 0) & (absent == "skip")
    return torch.where(nothing, 1, (kept * w * loss).sum(-1) / torch.where(nothing, 1, divisor))


def maps(n, c, *space):
    return {"input": uniform(n, c, *space), "target": binary(n, c, *space)}


def soft(n, c, *space):
    return {"input": uniform(n, c, *space), "target": uniform(n, c, *space)}


def index(n, c, *space):
    return {"input": simplex(n, c, *space), "target": integers(n, *space, high=c)}


def logits(inputs):
    return {**inputs, "input": lambda key: normal(*inputs["input"](key).shape, scale=2.0)(key)}


def weighted(inputs, c):
    return {**inputs, "weight": uniform(c, low=0.25, high=2.0)}


# class 1 is nowhere, class 2 only in the second sample, the third sample is empty
GAPS = put(binary(3, 4, 5), ((slice(None), 1), 0.0), ((0, 2), 0.0), ((1, 2), 1.0), (2, 0.0))
ABSENT = {"input": uniform(3, 4, 5), "target": GAPS}
HOLES = put(integers(3, 4, 5, high=4), ((slice(None), slice(None, None, 2)), 255))
HOLEY = {"input": uniform(3, 1, 9), "target": put(binary(3, 1, 9), ((..., slice(None, 4)), 255.0))}
EMPTY = {"input": full(2, 3, 5, value=0.0), "target": full(2, 3, 5, value=0.0)}
MULTICLASS = {"mode": "multiclass", "from_logits": True}


def forms():
    """The default's variants, one option or two at a time."""
    out = []
    for dims in ("per_sample", "batch"):
        for average in ("micro", "macro", "none"):
            name = f"{dims.replace('_', '-')}-{average}"
            shape = {"dims": dims, "average": average}
            out += reductions(maps(2, 4, 5), prefix=f"{name}-", brief=True, **shape)
            out += [case(f"{name}-weight", weighted(maps(2, 4, 5), 4), twice=True, **shape),
                    case(f"{name}-squared", soft(2, 4, 5), squared=True, twice=True, **shape),
                    case(f"{name}-soft-label", soft(2, 4, 5), soft_label=True, **shape),
                    case(f"{name}-weight-multiclass", weighted(logits(index(2, 4, 2, 3)), 4),
                         **MULTICLASS, **shape)]
        for absent in ("count", "zero", "skip"):
            for mode in ("plain", "normalized"):
                out.append(case(f"{dims.replace('_', '-')}-absent-{absent}-{mode}",
                                weighted(ABSENT, 4), dims=dims, average="macro", absent=absent,
                                weight_mode=mode, reduction="none"))
            out.append(case(f"{dims.replace('_', '-')}-absent-{absent}", ABSENT, dims=dims,
                            average="macro", absent=absent, reduction="none"))
    return out


CASES = [
    *regions(maps, dtypes=WITH_BFLOAT16),
    *forms(),
    *[case(f"weight-signs-{mode}", {**maps(2, 4, 5), "weight": signs(4)}, average="macro",
           weight_mode=mode) for mode in ("plain", "normalized")],
    *[case(f"logits-{mode}", logits(maps(2, c, 5)), mode=mode, from_logits=True, twice=True,
           dtypes=WITH_BFLOAT16) for mode, c in (("binary", 1), ("multilabel", 4),
                                                 ("multiclass", 4))],
    *layouts(logits(index(2, 3, 2, 5)), ["input"], (*WORDS, "channels_last"), "multiclass-",
             average="macro", **MULTICLASS),
    *layouts(index(2, 3, 2, 5), ["target"], ["transposed"], "target-", mode="multiclass"),
    case("index", index(2, 4, 5), mode="multiclass"),
    case("index-logits", logits(index(2, 4, 5)), upstream=-2.5, dtypes=WITH_BFLOAT16, **MULTICLASS),
    case("index-rows", index(5, 4), mode="multiclass"),
    case("integer-maps", {"input": uniform(2, 4, 5), "target": integers(2, 4, 5, high=2)}),
    case("smooth-1", maps(2, 4, 5), smooth=1.0),
    case("smooth-nr", maps(2, 4, 5), smooth=1.0, smooth_nr=0.0),
    case("smooth-dr", maps(2, 4, 5), smooth_nr=0.5, smooth_dr=1e-5),
    case("smooth-0", maps(2, 4, 5), smooth=0.0),
    case("squared-soft-label", soft(2, 4, 5), squared=True, soft_label=True, twice=True),
    case("soft-label-equal", {"input": full(2, 3, 5, value=0.25),
                              "target": full(2, 3, 5, value=0.25)}, soft_label=True),
    case("no-background", maps(2, 4, 5), include_background=False, average="macro"),
    case("no-background-logits", logits(index(2, 4, 5)), include_background=False, **MULTICLASS),
    *[case(f"classes-kept-{average}", maps(2, 5, 5), classes=[0, 3], average=average,
           reduction="none") for average in ("micro", "macro", "none")],
    case("classes-kept-batch", logits(index(2, 5, 5)), classes=[4, 1, 2], dims="batch",
         average="macro", absent="zero", **MULTICLASS),
    case("ignore-binary", HOLEY, ignore_index=255, mode="binary"),
    case("ignore-logits", logits(HOLEY), ignore_index=255, from_logits=True),
    case("ignore-index", {"input": simplex(3, 4, 4, 5), "target": HOLES}, mode="multiclass",
         ignore_index=255, average="macro"),
    case("ignore-class-0", logits(index(2, 4, 5)), ignore_index=0, average="macro", absent="skip",
         **MULTICLASS),
    case("ignore-all", {"input": uniform(2, 4, 5), "target": full(2, 5, value=255)},
         mode="multiclass", ignore_index=255, average="macro", absent="skip", tags=["ignored"]),
    case("one-element", {"input": fixed([[0.3]]), "target": fixed([[1.0]])}),
    case("exact", {"input": binary(2, 4, 5), "target": binary(2, 4, 5)}, reduction="none"),
    case("both-empty", EMPTY, reduction="none", tags=["kink"]),
    case("both-empty-smooth-0", EMPTY, smooth=0.0, reduction="none", tags=["nonfinite"]),
    case("extreme-sigmoid", {"input": fixed([[[1e4, -1e4, 0.0, 88.0, -104.0]]]),
                             "target": fixed([[[1.0, 1.0, 0.0, 0.0, 1.0]]])}, from_logits=True,
         tags=["extreme"]),
    case("extreme-softmax", {"input": fixed([[[1e4, -1e4, 0.0], [-1e4, -1e4, 88.0],
                                              [0.0, 1e4, -104.0]]]),
                             "target": fixed([[0, 1, 2]])}, tags=["extreme"], **MULTICLASS),
    case("nonfinite", {"input": put(uniform(3, 2, 5), ((0, 0, 1), math.nan),
                                    ((1, 0, 1), math.inf)), "target": binary(3, 2, 5)},
         reduction="none", tags=["nonfinite"]),
]


def crosscheck():
    """The seeds' forms and the peers, on what they cover."""
    import kornia.losses as kl
    import monai.losses as ml
    import segmentation_models_pytorch.losses as sl

    def ours(inputs, **parameters):
        return run(oracle, case("dice", inputs, **parameters))

    def theirs(peer, inputs, *names):
        return run(lambda **t: peer(*(t[name] for name in names or ("input", "target"))),
                   case("dice", inputs))
    p = maps(3, 4, 2, 5)

    def seed(input, target):
        up = 2 * (input * target).sum((1, 2, 3)) + 1e-6
        return (1 - up / (input.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1e-6)).mean()
    same(ours(p), theirs(seed, p), "seed 000")
    for average, how in (("macro", "mean"), ("none", "none")):
        for dims in ("per_sample", "batch"):
            for more in ({}, {"squared": True}, {"soft_label": True},
                         {"include_background": False}):
                for w in (None, [0.5, 1.0, 2.0, 0.25]):
                    if w and more:
                        continue
                    renamed = {{"squared": "squared_pred"}.get(k, k): v for k, v in more.items()}
                    peer = ml.DiceLoss(batch=dims == "batch", reduction=how, weight=w, **renamed)
                    inputs = p if w is None else {**p, "weight": fixed(w)}
                    mine = ours(inputs, dims=dims, average=average, smooth=1e-5, reduction=how,
                                **more)
                    same(mine, theirs(peer, p).reshape(mine.shape), f"MONAI {dims} {more}")
    gaps, holes = logits(ABSENT), logits({"input": simplex(3, 4, 4, 5), "target": HOLES})
    batch = {"dims": "batch", "average": "macro", "absent": "zero", "from_logits": True}
    same(ours(gaps, mode="multilabel", smooth=1.0, **batch),
         theirs(sl.DiceLoss("multilabel", smooth=0.5), gaps), "smp multilabel")
    same(ours(gaps, mode="multilabel", smooth=0.0, classes=[0, 2], **batch),
         theirs(sl.DiceLoss("multilabel", classes=[0, 2]), gaps), "smp classes")
    same(ours(holes, mode="multiclass", smooth=0.0, ignore_index=255, **batch),
         theirs(sl.DiceLoss("multiclass", ignore_index=255), holes), "smp multiclass")
    holes = {**holes, "weight": fixed([0.5, 1.0, 2.0, 0.25]),
             "target": put(HOLES, (1, 2), (2, 255))}
    for average in ("micro", "macro"):
        same(ours(holes, average=average, smooth_nr=0.0, smooth_dr=1e-8, ignore_index=255,
                  weight_mode="normalized", absent="skip", **MULTICLASS),
             theirs(lambda i, t, w: kl.dice_loss(i, t, average, weight=w, ignore_index=255), holes,
                    "input", "target", "weight"), f"kornia {average}")
