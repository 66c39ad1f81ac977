"""contrastive_loss: the seed's snippet with the row's options, on F.pairwise_distance."""
import math

import torch
import torch.nn.functional as F

from harness import binary, case, embeddings, fixed, normal, put, reductions, run, same

ORACLE = ("composed torch: d = F.pairwise_distance(input1, input2, p, eps); scale * torch.where("
          "target == similar_label, d**2, F.relu(margin - d)**2), reduced")
DIFFERENTIABLE = ("input1", "input2")


def oracle(input1, input2, target, margin=1.0, p=2.0, eps=1e-6, similar_label=1, scale=1.0,
           reduction="mean"):
    d = F.pairwise_distance(input1, input2, p, eps)
    loss = scale * torch.where(target == similar_label, d**2, F.relu(margin - d)**2)
    return loss if reduction == "none" else getattr(loss, reduction)()


def pairs(n, d):
    """Distances near 1, the default margin."""
    return {"input1": normal(n, d, scale=0.7 * d**-0.5),
            "input2": normal(n, d, scale=0.7 * d**-0.5), "target": binary(n)}


BOTH = fixed([1.0, 0.0, 1.0, 0.0])
ROWS = fixed([[0.5, 0.25, 0.0], [0.5, 0.25, 0.0], [1.0, 0.0, 0.0], [3.0, 0.0, 0.0]])
SAME = {"input1": ROWS, "input2": ROWS, "target": BOTH}

CASES = [
    *embeddings(pairs, ["input1", "input2"]),
    *[case(f"dim-{d}", pairs(1, d), dtypes=("float32",)) for d in (1000, 1025)],
    *reductions(pairs(7, 5), prefix="zero-similar-", brief=True, similar_label=0),
    *reductions(pairs(7, 5), prefix="half-", brief=True, scale=0.5, margin=1.5),
    *[case(f"margin-{margin}", pairs(7, 5), margin=margin) for margin in (0.5, 2.0)],
    *[case(f"p-{p}", pairs(7, 5), p=p, margin=2.0, upstream=-2.5)
      for p in (1.0, 1.5, 3.0, math.inf)],
    case("p-3-dim-33", pairs(2, 33), p=3.0, margin=2.0),
    case("eps", pairs(7, 5), eps=1e-2),
    case("eps-0", pairs(7, 5), eps=0.0),
    case("target-strided", pairs(7, 5), layout={"target": "strided"}),
    case("same", SAME, reduction="none", tags=["kink"]),
    case("same-eps-0", SAME, eps=0.0, reduction="none", tags=["kink"]),
    case("beyond-margin", {"input1": ROWS, "input2": fixed([[9.0, 9.0, 9.0]] * 4),
                           "target": BOTH}, reduction="none"),
    case("far", {"input1": fixed([[1e4, 0.0], [-1e4, 1e4]]),
                 "input2": fixed([[-1e4, 0.0], [1e4, 1e4]]), "target": fixed([1.0, 0.0])},
         reduction="none", tags=["extreme"]),
    case("nonfinite", {"input1": put(normal(4, 3), ((0, 1), math.nan), ((1, 1), math.nan)),
                       "input2": normal(4, 3), "target": BOTH}, reduction="none",
         tags=["nonfinite"]),
]


def crosscheck():
    """The seed's snippet, where 1 means dissimilar."""
    def seed(input1, input2, target, **_):
        d = F.pairwise_distance(input1, input2, 2)
        return ((1 - target) * d**2 + target * F.relu(1.0 - d)**2).mean()
    inputs = case("pairs", pairs(9, 5), similar_label=0)
    same(run(oracle, inputs), run(seed, inputs), "seed 000")
