"""batch_hard_miner: pytorch-metric-learning's. Cases have no near ties, or exact ones in small
integers; a loop in float64 checks both."""
import math

import torch
import torch.nn.functional as F
from pytorch_metric_learning import distances
from pytorch_metric_learning.miners import BatchHardMiner

from harness import SIZES, case, fixed, full, integers, layouts, normal, realize, run

ORACLE = ("pytorch_metric_learning.miners.BatchHardMiner(distance)(embeddings, labels, ref_emb, "
          "ref_labels); distance = LpDistance(p=2, power=1 or 2), CosineSimilarity, "
          "DotProductSimilarity or SNRDistance, with normalize_embeddings=normalize; an empty "
          "batch gives nothing")
PEERS = ("pytorch_metric_learning",)
DIFFERENTIABLE = ()
DISTANCES = {"euclidean": lambda n: distances.LpDistance(normalize_embeddings=n, p=2),
             "squared_euclidean": lambda n: distances.LpDistance(normalize_embeddings=n, power=2),
             "cosine": lambda n: distances.CosineSimilarity(),
             "dot": lambda n: distances.DotProductSimilarity(normalize_embeddings=n),
             "snr": lambda n: distances.SNRDistance(normalize_embeddings=n)}


def oracle(embeddings, labels, ref_emb=None, ref_labels=None, distance="euclidean",
           normalize=True):
    miner = BatchHardMiner(distance=DISTANCES[distance](normalize))
    if len(embeddings) == 0:  # the peer refuses: nothing is mined
        return dict.fromkeys(("anchor", "positive", "negative"), labels)
    anchor, positive, negative = miner(embeddings, labels, ref_emb, ref_labels)
    return {"anchor": anchor, "positive": positive, "negative": negative}


def batch(n, d, labels=3):
    return {"embeddings": normal(n, d), "labels": integers(n, high=labels)}


def against(n, m, d, labels=3):
    return {**batch(n, d, labels), "ref_emb": normal(m, d), "ref_labels": integers(m, high=labels)}


def labelled(*labels):
    return {"embeddings": normal(len(labels), 4), "labels": fixed(list(labels))}


# small integers: distances are exact, and equal ones are many
GRID = {"embeddings": fixed([[float(i % 3), float(i % 2)] for i in range(12)]),
        "labels": fixed([i % 4 // 2 for i in range(12)])}

# as its own reference set: the row of the single label 7 is its own positive
SAME = {"embeddings": fixed([[1.0, 0.5], [-2.0, 1.0], [0.25, -1.0], [3.0, 2.0], [-1.0, -1.5]]),
        "labels": fixed([3, 7, 3, 4, 4])}

CASES = [
    *[case(f"batch-{n}", batch(n, 6)) for n in SIZES[:-2]],
    *[case(f"dim-{d}", batch(7, d)) for d in (3, 15, 17, 31, 33, 63, 65, 127)],
    *[case(f"dim-{d}", batch(5, d, 2), dtypes=("float32",)) for d in (1000, 1025)],
    case("batch-130", batch(130, 64, 10), dtypes=("float32",)),
    *[case(f"{name.replace('_', '-')}{'' if normalize else '-raw'}", batch(17, 5),
           distance=name, normalize=normalize)
      for name in DISTANCES for normalize in (True, False)],
    *[case(f"reference-{name.replace('_', '-')}", against(9, 17, 5), distance=name)
      for name in DISTANCES],
    case("reference-raw", against(9, 17, 5), normalize=False),
    case("reference-smaller", against(17, 3, 5)),
    case("reference-same-rows", {**SAME, "ref_emb": SAME["embeddings"],
                                 "ref_labels": SAME["labels"]}),
    case("reference-other-labels", {**batch(5, 5), "ref_emb": normal(4, 5),
                                    "ref_labels": fixed([7, 7, 8, 8])}),
    *layouts(batch(9, 19), ["embeddings"], ("transposed", "strided", "sliced")),
    case("layout-expanded", {"embeddings": fixed([[1.0, 2.0, 2.0]] * 5),
                             "labels": fixed([0, 1, 0, 1, 2])}, normalize=False,
         layout={"embeddings": "expanded"}, tags=["tie"]),
    case("layout-labels", batch(9, 5), layout={"labels": "strided"}),
    *[case(f"ties-{name.replace('_', '-')}", GRID, distance=name, normalize=False, tags=["tie"])
      for name in ("euclidean", "squared_euclidean", "dot")],
    case("labels-large", labelled(-1, 10**12, -1, 10**12, 5)),
    case("one-class", labelled(2, 2, 2)),
    case("all-apart", labelled(0, 1, 2, 3)),
    case("singleton", labelled(0, 0, 1, 2, 2)),
    case("two", labelled(0, 0)),
    case("one-element", {"embeddings": normal(1, 1), "labels": fixed([0])}),
    case("empty", {"embeddings": normal(0, 4), "labels": full(0, value=0)}, tags=["empty"]),
]


def crosscheck():
    """Each case by a loop in float64; what is not nearest must be farther by a clear margin."""
    for entry in CASES:
        for dtype in (torch.float32, torch.float64):
            mined = run(oracle, entry, dtype, "batch_hard_miner")
            tensors = realize(entry, "batch_hard_miner", dtype)
            *expected, gap = _loop(**tensors, **entry.parameters)
            if [t.tolist() for t in mined.values()] != expected or gap < 1e-5:
                raise AssertionError(f"{entry.name}/{dtype}: gap {gap}")


def _loop(embeddings, labels, ref_emb=None, ref_labels=None, distance="euclidean",
          normalize=True):
    """Anchors, positives, negatives, and the smallest gap to a second choice that is no tie."""
    x, y = embeddings.double(), labels.tolist()
    r, s = (x, y) if ref_emb is None else (ref_emb.double(), ref_labels.tolist())
    if normalize or distance == "cosine":
        x, r = F.normalize(x), F.normalize(r)
    anchors, positives, negatives, gap = [], [], [], math.inf
    for i in range(len(x)):
        d = {"squared_euclidean": lambda: ((x[i] - r) ** 2).sum(1),
             "euclidean": lambda: ((x[i] - r) ** 2).sum(1).sqrt(),
             "snr": lambda: (x[i] - r).var(1) / x[i].var()}.get(distance, lambda: -(r @ x[i]))()
        d = d.tolist()
        alike = [j for j in range(len(r)) if s[j] == y[i] and (ref_emb is not None or j != i)]
        others = [j for j in range(len(r)) if s[j] != y[i]]
        if alike and others:
            far, near = max(alike, key=d.__getitem__), min(others, key=d.__getitem__)
            gap = min([gap, *[d[far] - d[j] for j in alike if d[j] != d[far]],
                       *[d[j] - d[near] for j in others if d[j] != d[near]]])
            anchors.append(i)
            positives.append(far)
            negatives.append(near)
    return anchors, positives, negatives, gap
