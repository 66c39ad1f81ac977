"""info_nce_loss: composed from the row's formula with PyTorch's cross entropy, as the seed's
snippet, which is one of the three forms of negatives."""
import math

import torch
import torch.nn.functional as F

from harness import case, embeddings, empties, fixed, layouts, normal, put, reductions, run, same

ORACLE = ("composed torch: logits = [query.positive, query.negatives] / temperature (negatives "
          "absent: query @ positive.T / temperature), F.cross_entropy against the positive; "
          "normalize: F.normalize of every row first")
DIFFERENTIABLE = ("query", "positive", "negatives")


def oracle(query, positive, negatives=None, temperature=0.1, normalize=False, reduction="mean"):
    if normalize:
        query, positive = F.normalize(query, dim=-1), F.normalize(positive, dim=-1)
        negatives = None if negatives is None else F.normalize(negatives, dim=-1)
    if negatives is None:
        logits = query @ positive.t()
        right = torch.arange(len(query))
    else:
        against = query @ negatives.t() if negatives.dim() == 2 \
            else (negatives @ query.unsqueeze(-1)).squeeze(-1)
        logits = torch.cat([(query * positive).sum(1, keepdim=True), against], 1)
        right = torch.zeros(len(query), dtype=torch.long)
    return F.cross_entropy(logits / temperature, right, reduction=reduction)


def pairs(n, d):
    """Near-unit rows, so that the softmax of the default temperature is not saturated."""
    return {"query": normal(n, d, scale=d**-0.5), "positive": normal(n, d, scale=d**-0.5)}


def shared(n, d, k=4):
    return {**pairs(n, d), "negatives": normal(k, d, scale=d**-0.5)}


def own(n, d, k=4):
    return {**pairs(n, d), "negatives": normal(n, k, d, scale=d**-0.5)}


# Of the usual ones those where PyTorch's float32 is too far from its float64: equal rows have a
# gradient of rounding alone, p next to 1 cancels in 1 - p, and sums of second derivatives are large.
# The last two are posed again below.
LEFT_OUT = ("layout-all-expanded", "dim-3", "sum-twice")
PAIR, ALL = ["query", "positive"], ["query", "positive", "negatives"]
FAR = {"query": fixed([[1e2, 0.0], [0.0, 1e2]]), "positive": fixed([[1e2, 0.0], [0.0, -1e2]])}
PLAIN = fixed([[1.0, 0.5], [0.5, 2.0], [1.0, -1.0]])

CASES = [
    *[entry for entry in embeddings(pairs, PAIR) if entry.name not in LEFT_OUT],
    case("dim-3", pairs(5, 3)),
    case("sum-twice", pairs(7, 5), upstream=2.0**-6, twice=True, reduction="sum"),
    *reductions(shared(7, 5), prefix="shared-", twice=True),
    *reductions(own(7, 5), prefix="own-", twice=True),
    *[case(f"shared-dim-{d}", shared(2, d)) for d in (1, 17, 33)],
    *[case(f"own-dim-{d}", own(2, d)) for d in (1, 17, 33)],
    *[case(f"shared-negatives-{k}", shared(3, 3, k)) for k in (1, 3, 17, 31, 65, 127)],
    *[case(f"own-negatives-{k}", own(2, 3, k)) for k in (1, 3, 17, 31, 65)],
    case("dim-1025", shared(1, 1025, 1), dtypes=("float32",)),
    case("shared-negatives-1000", shared(1, 1, 1000), dtypes=("float32",)),
    case("shared-large", shared(17, 16, 65), dtypes=("float32",)),
    *layouts(shared(3, 19), ALL, prefix="shared-layout-"),
    *layouts(own(3, 9), ALL, prefix="own-layout-"),
    *[case(f"{name}-normalize", inputs, normalize=True, twice=True, temperature=0.5)
      for name, inputs in (("pairs", pairs(7, 5)), ("shared", shared(7, 5)), ("own", own(7, 5)))],
    *[case(f"temperature-{t}", inputs, temperature=t, upstream=-2.5)
      for t, inputs in ((0.07, pairs(7, 5)), (1.0, shared(7, 5)), (5.0, own(7, 5)))],
    case("cold", pairs(7, 5), temperature=1e-3, upstream=2.0**-10, reduction="none",
         tags=["extreme"]),
    case("extreme", FAR, reduction="none", tags=["extreme"]),
    case("extreme-shared", {**FAR, "negatives": fixed([[-1e2, 1e2]])}, reduction="none",
         tags=["extreme"]),
    case("zero-row-normalize", {"query": put(normal(3, 2), (0, 0.0)), "positive": PLAIN},
         normalize=True, tags=["kink"]),
    *empties(shared(0, 5), prefix="empty-shared-"),
    *empties(own(0, 5), prefix="empty-own-"),
    case("nonfinite", {"query": put(PLAIN, ((0, 0), math.nan), ((1, 1), math.inf)),
                       "positive": PLAIN}, temperature=1.0, reduction="none", tags=["nonfinite"]),
    case("nonfinite-own", {"query": PLAIN, "positive": PLAIN,
                           "negatives": put(normal(3, 4, 2), ((0, 0, 0), math.nan),
                                            ((1, 0, 1), -math.inf))},
         temperature=1.0, reduction="none", tags=["nonfinite"]),
]

def crosscheck():
    """The seed's snippet, and both other forms by way of it."""
    def seed(query, positive, negatives):
        both = torch.cat([(query * positive).sum(1, keepdim=True), query @ negatives.t()], 1) / 0.1
        return F.cross_entropy(both, torch.zeros(len(query), dtype=torch.long))

    def each(query, positive, negatives=None):
        """One query at a time, its negatives being the other positives or its own."""
        rest = [torch.cat([positive[:i], positive[i + 1:]]) if negatives is None else negatives[i]
                for i in range(len(query))]
        return torch.stack([seed(query[i:i + 1], positive[i:i + 1], rest[i])
                            for i in range(len(query))]).mean()
    for inputs, other in ((shared(7, 5), seed), (pairs(7, 5), each), (own(7, 5), each)):
        same(run(oracle, case("nce", inputs)), run(other, case("nce", inputs)), "seed 000")
