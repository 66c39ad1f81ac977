"""triplet_margin_loss: PyTorch's own for the Euclidean distance; the other distances composed,
with PyTorch's clamp_min at the hinge."""
import math

import torch
import torch.nn.functional as F

from harness import case, embeddings, fixed, layouts, normal, put, reductions, run, same

ORACLE = ("F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, "
          "reduction=reduction); distance other than euclidean: composed torch, "
          "(d_ap - d_an + margin).clamp_min(0) with swap d_an = min(d_an, d_pn), and d = "
          "sum((x-y)**2), -F.normalize(x).F.normalize(y), -x.y or var(x-y)/var(x)")
DIFFERENTIABLE = ("anchor", "positive", "negative")


def oracle(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False,
           distance="euclidean", reduction="mean"):
    if distance == "euclidean":
        return F.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap,
                                     reduction=reduction)
    far = DISTANCES[distance](anchor, negative)
    if swap:
        far = torch.minimum(far, DISTANCES[distance](positive, negative))
    loss = (DISTANCES[distance](anchor, positive) - far + margin).clamp_min(0)
    return loss if reduction == "none" else getattr(loss, reduction)()


def _cosine(x, y):
    return -(F.normalize(x, dim=-1) * F.normalize(y, dim=-1)).sum(-1)


DISTANCES = {"squared_euclidean": lambda x, y: ((x - y) ** 2).sum(-1),
             "cosine": _cosine,
             "dot": lambda x, y: -(x * y).sum(-1),
             "snr": lambda x, y: (x - y).var(-1) / x.var(-1)}
NAMES = ["anchor", "positive", "negative"]


def triplets(n, d, scale=0.7):
    """Distances near 1, the default margin, so that some triplets are inside it, some not."""
    return {name: normal(n, d, scale=scale * (2.0 if name == "negative" else 1.0) * d**-0.5)
            for name in NAMES}


def one(d):
    return {name: normal(d) for name in NAMES}


def other(distance):
    """The cases of one distance that is not torch's."""
    name, option = distance.replace("_", "-"), {"distance": distance}
    return [
        *reductions(triplets(7, 5), prefix=f"{name}-", brief=True, twice=True, **option),
        *[case(f"{name}-dim-{d}", triplets(2, d), **option) for d in (3, 17, 33)],
        *layouts(triplets(3, 19), NAMES, ("strided", "expanded"), f"{name}-layout-", **option),
        case(f"{name}-swap", triplets(7, 5), swap=True, twice=True, upstream=-2.5, **option),
        case(f"{name}-margin", triplets(7, 5), margin=0.2, reduction="sum", **option),
        case(f"{name}-single", one(5), **option),
        case(f"{name}-one-anchor", {**triplets(7, 5), "anchor": normal(1, 5)}, **option),
        case(f"{name}-empty", triplets(0, 5), tags=["empty"], reduction="sum", **option)]


# d(a,p) - d(a,n) + 1 is exactly 0, 0, 1 and -1
AT_ZERO = {"anchor": fixed([[0.0, 0.0]] * 4),
           "positive": fixed([[1.0, 0.0], [0.0, -2.0], [1.0, 0.0], [0.5, 0.0]]),
           "negative": fixed([[2.0, 0.0], [0.0, 3.0], [0.0, 1.0], [2.5, 0.0]])}
ROW = fixed([[0.5, 0.25, 0.0]] * 2)

CASES = [
    *embeddings(triplets, NAMES, large=(130, 16)),
    case("dim-1000", triplets(1, 1000), dtypes=("float32",), constant=NAMES[1:]),
    case("dim-1025", triplets(1, 1025), dtypes=("float32",)),
    *reductions(triplets(7, 5), prefix="swap-", brief=True, twice=True, swap=True),
    *[case(f"margin-{margin}", triplets(7, 5), margin=margin) for margin in (0.2, 0.5, 2.0)],
    *[case(f"p-{p}", triplets(7, 5), p=p, margin=2.0, upstream=-2.5)
      for p in (1.0, 1.5, 3.0, math.inf)],
    case("p-1-swap", triplets(7, 5), p=1.0, swap=True),
    case("p-3-dim-33", triplets(1, 33), p=3.0, margin=2.0, dtypes=("float32",)),
    case("eps", triplets(7, 5), eps=1e-2),
    *reductions(one(5), prefix="single-", brief=True),
    case("single-swap", one(5), swap=True),
    case("one-anchor", {**triplets(7, 5), "anchor": normal(1, 5, scale=0.3)}),
    case("one-negative", {**triplets(7, 5), "negative": normal(1, 5, scale=0.5)}, swap=True,
         reduction="none"),
    case("groups", {name: normal(2, 3, 5, scale=0.4) for name in NAMES}, reduction="none"),
    case("at-zero", AT_ZERO, eps=0.0, reduction="none", tags=["kink"]),
    case("at-zero-squared", {**AT_ZERO, "positive": fixed([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0],
                                                           [0.0, 0.0]]),
                             "negative": fixed([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0], [2.0, 0.0]])},
         distance="squared_euclidean", reduction="none", tags=["kink"]),
    case("same", {name: ROW for name in NAMES}, reduction="none", tags=["kink"]),
    case("same-positive", {**triplets(2, 3), "anchor": ROW, "positive": ROW}, eps=0.0, margin=2.0,
         reduction="none", tags=["kink"]),
    case("far", {"anchor": fixed([[1e4, 0.0], [0.0, 1e4]]), "positive": fixed([[-1e4, 0.0]] * 2),
                 "negative": fixed([[1e4, 1.0], [1.0, 1e4]])}, reduction="none",
         tags=["extreme"]),
    case("nonfinite", {**triplets(3, 4), "negative": put(normal(3, 4), ((0, 1), math.nan))},
         reduction="none", tags=["nonfinite"]),
    *[entry for distance in DISTANCES for entry in other(distance)],
]


def crosscheck():
    """F.triplet_margin_with_distance_loss, and pytorch-metric-learning's sign of similarities."""
    from pytorch_metric_learning import distances as pml
    peers = {"squared_euclidean": pml.LpDistance(normalize_embeddings=False, power=2),
             "cosine": pml.CosineSimilarity(), "snr": pml.SNRDistance(normalize_embeddings=False),
             "dot": pml.DotProductSimilarity(normalize_embeddings=False)}
    for name, peer in peers.items():
        for swap in (False, True):
            inputs = case("triplets", triplets(9, 5), distance=name, swap=swap, reduction="none")
            same(run(oracle, inputs), run(lambda anchor, positive, negative, distance, **options:
                 F.triplet_margin_with_distance_loss(
                     anchor, positive, negative, distance_function=DISTANCES[distance],
                     **options), inputs), f"torch {name}")
        inputs = case("triplets", triplets(9, 5))

        def mined(anchor, positive, negative):
            near, far = (torch.diagonal(peer(anchor, other)) for other in (positive, negative))
            return F.relu(peer.margin(near, far) + 1.0).mean()
        same(run(lambda **t: oracle(distance=name, **t), inputs), run(mined, inputs), f"pml {name}")
