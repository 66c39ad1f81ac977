"""quantile_loss: composed from the row's formula. At a tie the gradient is 0, as the row says;
torch.maximum in its oracle column gives another subgradient there."""
import math

import torch
import torch.nn.functional as F

from harness import case, elementwise, fixed, full, layouts, normal, reductions, run, same

ORACLE = ("composed torch: e = target - input; tau*F.relu(e) + (1 - tau)*F.relu(-e), reduced; "
          "tau a list: one quantile for each element of the last axis of input")
DIFFERENTIABLE = ("input", "target")


def oracle(input, target, tau=0.5, reduction="mean"):
    if isinstance(tau, list):
        tau, target = input.new_tensor(tau), target.unsqueeze(-1)
    e = target - input
    loss = tau * F.relu(e) + (1 - tau) * F.relu(-e)
    return loss if reduction == "none" else getattr(loss, reduction)()


def pair(*shape):
    return {"input": normal(*shape), "target": normal(*shape)}


def several(q, *shape):
    return {"input": normal(*shape, q), "target": normal(*shape)}


THREE = [0.1, 0.5, 0.9]

CASES = [
    *elementwise(pair),
    *[case(f"tau-{tau}", pair(5, 7), tau=tau) for tau in (0.01, 0.1, 0.25, 0.9, 0.99)],
    *reductions(pair(5, 7), prefix="tau-0.9-", brief=True, tau=0.9),
    *reductions(several(3, 7), prefix="several-", tau=THREE),
    *layouts(several(3, 6), ["input"], prefix="several-layout-", tau=THREE),
    case("several-axes", several(3, 2, 5), tau=THREE, reduction="none"),
    case("several-no-axis", several(3), tau=THREE),
    case("several-one", several(1, 7), tau=[0.3]),
    case("several-17", several(17, 5), tau=[(i + 1) / 18 for i in range(17)]),
    case("several-empty", several(3, 0), tau=THREE, reduction="sum", tags=["empty"]),
    case("tie", {"input": fixed([0.5, 1.0, -1.0]), "target": fixed([0.5, 0.0, 0.0])}, tau=0.9,
         reduction="none", tags=["kink"]),
    case("equal", {"input": full(9, value=0.3), "target": full(9, value=0.3)}, tags=["kink"]),
    case("magnitudes", {"input": fixed([1e4, -1e4, 1e-20, 1e30]),
                        "target": fixed([-1e4, -1e4 + 1, 0.0, 1.0])}, tau=0.9, reduction="none"),
    case("infinite", {"input": fixed([math.inf, -math.inf, 0.0, 0.0]),
                      "target": fixed([0.0, 1.0, math.inf, -math.inf])}, tau=0.9,
         reduction="none", tags=["nonfinite"]),
    case("nan", {"input": fixed([math.nan, 1.0, math.inf, 0.5]),
                 "target": fixed([0.0, math.nan, math.inf, 0.25])}, reduction="none",
         constant=("input", "target"), tags=["nonfinite"]),
]


def crosscheck():
    """The oracle column's torch.maximum."""
    def column(input, target, tau=0.5):
        return torch.maximum(tau * (target - input), (tau - 1) * (target - input)).mean()
    for inputs, parameters in ((pair(9), {}), (pair(9), {"tau": 0.9})):
        same(run(oracle, case("q", inputs, **parameters)),
             run(column, case("q", inputs, **parameters)))
    rows = several(3, 7)
    each = [run(lambda input, target: oracle(input[:, i], target, tau), case("q", rows))
            for i, tau in enumerate(THREE)]
    same(run(oracle, case("q", rows, tau=THREE)), sum(each) / 3)
