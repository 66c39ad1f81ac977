"""cross_entropy_loss: PyTorch's own, with class indices and with probabilities."""
import math

import torch.nn.functional as F

from harness import (FLOATS, HALF_NOTE, SIZES, WITH_BFLOAT16, WORDS, case, empties, fixed, full,
                     integers, layouts, normal, put, reductions, signs, simplex, sizes, uniform)

ORACLE = ("F.cross_entropy(input, target, weight, ignore_index=ignore_index, "
          "reduction=reduction, label_smoothing=label_smoothing)." + HALF_NOTE)
DIFFERENTIABLE = ("input", "target")
FEW = (1, 3, 15, 17, 33, 65, 127)
SMOOTH = {"label_smoothing": 0.1}


def oracle(input, target, weight=None, **parameters):
    return F.cross_entropy(input, target, weight, **parameters)


def index(n, c, *space, ignore=None):
    """Logits and class indices; every third target is `ignore` if that is given."""
    target = integers(n, *space, high=c)
    if ignore is not None:
        target = put(target, (slice(None, None, 3), ignore))
    return {"input": normal(n, c, *space, scale=2.0), "target": target}


def probability(n, c, *space):
    return {"input": normal(n, c, *space, scale=2.0), "target": simplex(n, c, *space)}


def weighted(inputs, c):
    return {**inputs, "weight": uniform(c, low=0.25, high=2.0)}


def options(inputs, c, name, dtypes=FLOATS, **parameters):
    """Each reduction with and without weight and smoothing."""
    return [*reductions(inputs, prefix=f"{name}-", dtypes=dtypes, twice=True, **parameters),
            *reductions(weighted(inputs, c), prefix=f"{name}-weight-", brief=True, **parameters),
            *reductions(inputs, prefix=f"{name}-smooth-", brief=True, **SMOOTH, **parameters),
            *reductions(weighted(inputs, c), prefix=f"{name}-weight-smooth-", twice=True,
                        brief=True, dtypes=dtypes, **SMOOTH, **parameters)]


def strides(draws, name, tensors):
    """Rows, sequences and images away from the contiguous form; the images are weighted."""
    image = weighted(draws(2, 3, 5, 4), 3)
    return [*layouts(draws(3, 17), tensors, (*WORDS, "sliced"), prefix=f"{name}-rows-"),
            *layouts(draws(2, 3, 9), tensors, prefix=f"{name}-sequence-"),
            *layouts(image, tensors, (*WORDS, "channels_last"), prefix=f"{name}-image-")]


EXTREME = fixed([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [1e4, 1e4, 1e4], [0.0, 0.0, 0.0],
                 [-1e4, -1e4, 1e4], [88.0, -104.0, 0.0]])
INFINITE = fixed([[1.0, -math.inf, 2.0], [1.0, -math.inf, 2.0], [math.inf, 0.0, 1.0],
                  [math.nan, 0.0, 1.0], [-math.inf] * 3, [0.5, 1.0, 1.5]])
SURE = fixed([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0],
              [0.25, 0.25, 0.5], [0.0, 0.0, 1.0]])
SIX = fixed([0, 1, 2, 0, 1, 2])

CASES = [
    *sizes(lambda c: index(1 if c == 1000 else 2, c), "classes"),
    *sizes(lambda c: index(2, c), "classes", (17, 65, 127), dtypes=("bfloat16",)),
    *sizes(lambda c: probability(2, c), "probability-classes", FEW),
    *sizes(lambda n: index(n, 3), "rows", SIZES[:-2]),
    case("rows-257", index(257, 2)),
    case("one-element", index(1, 1)),
    *sizes(lambda n: index(2, 3, n), "inner", (1, 2, 7, 15, 17, 33, 65)),

    *options(index(7, 5), 5, "index", dtypes=WITH_BFLOAT16),
    *options(index(7, 5, ignore=-100), 5, "ignored"),
    *reductions(weighted(index(3, 4, 5, ignore=2), 4), prefix="ignored-2-", brief=True,
                ignore_index=2, **SMOOTH),
    *options(index(2, 3, 2, 5, ignore=-100), 3, "image"),
    *options(probability(7, 5), 5, "probability", dtypes=WITH_BFLOAT16),
    *reductions(weighted(probability(2, 3, 2, 5), 3), prefix="probability-image-", brief=True,
                twice=True, **SMOOTH),
    *sizes(lambda n: probability(3, 5, n), "probability-inner", (2,)),
    case("inner-2-many-classes", index(1, 40, 2), layout={"target": "transposed"}),
    case("volume", index(2, 3, 2, 3, 4)),
    case("ignored-255", index(7, 5, ignore=255), ignore_index=255),
    case("probability-unnormalised", {"input": normal(7, 5), "target": uniform(7, 5)}),
    case("smooth-one", index(7, 5), label_smoothing=1.0),
    case("weight-signs", {**index(7, 5), "weight": signs(5)}, upstream=-2.5),
    case("probability-weight-signs", {**probability(7, 5), "weight": signs(5)}, upstream=-2.5,
         **SMOOTH),
    case("weight-zero-class", {**index(9, 4), "weight": fixed([0.0, 1.0, 2.0, 0.0])}),
    *reductions({**index(4, 3), "target": fixed([1, 1, 1, 1]), "weight": fixed([1.0, 0.0, 2.0])},
                prefix="weight-all-zero-", tags=["nonfinite"]),

    *strides(index, "index", ["input"]),
    *strides(probability, "probability", ["input", "target"]),
    case("channels-last-smooth", weighted(index(2, 5, 3, 4), 5), layout={"input": "channels_last"},
         **SMOOTH),
    case("target-transposed", index(2, 5, 3, 4), layout={"target": "transposed"}),
    case("target-strided", index(9, 5), layout={"target": "strided"}),
    case("weight-strided", weighted(index(9, 5), 5), layout={"weight": "strided"}),

    *reductions({"input": normal(5), "target": fixed(3)}, prefix="single-index-", brief=True),
    *reductions({"input": normal(5), "target": simplex(5, axis=0)}, prefix="single-probability-",
                brief=True),
    case("single-ignored", {"input": normal(5), "target": fixed(-100)}, reduction="sum"),
    *reductions({"input": normal(4, 5), "target": full(4, value=-100)}, prefix="all-ignored-",
                tags=["ignored"]),
    *reductions(weighted({"input": normal(4, 5), "target": full(4, value=-100)}, 5),
                prefix="all-ignored-smooth-", brief=True, tags=["ignored"], **SMOOTH),
    *empties(index(0, 5)),
    *empties(index(0, 5, 3, 4), ["mean"], prefix="empty-image-"),
    *empties(probability(0, 5), prefix="empty-probability-"),
    *empties(weighted(index(0, 5), 5), ["mean"], prefix="empty-weight-"),

    *reductions({"input": EXTREME, "target": SIX}, prefix="extreme-", tags=["extreme"]),
    *reductions({"input": EXTREME, "target": SURE}, prefix="extreme-probability-",
                tags=["extreme"]),
    case("extreme-smooth", {"input": EXTREME, "target": SIX}, reduction="none", tags=["extreme"],
         **SMOOTH),
    case("nonfinite", {"input": INFINITE, "target": SIX}, reduction="none", tags=["nonfinite"]),
    case("nonfinite-ignored", {"input": INFINITE, "target": fixed([0, -100, -100, -100, -100, 1])},
         tags=["nonfinite"]),
    case("nonfinite-probability", {"input": INFINITE, "target": SURE}, reduction="none",
         tags=["nonfinite"]),
]
