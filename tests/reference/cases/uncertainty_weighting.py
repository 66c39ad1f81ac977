"""uncertainty_weighting: composed from the row's formula; no peer is packaged."""
import math

import torch
import torch.nn.functional as F

from harness import case, fixed, normal, run, same, uniform

ORACLE = ("composed torch, s = log_vars: (a*exp(-s)*losses + r(s)).sum(), with (a, r) by form: "
          "regression (1/2, s/2), classification (1, s/2), plain (1, s), "
          "softplus (1/2, F.softplus(s))")
DIFFERENTIABLE = ("losses", "log_vars")
FORMS = {"regression": (0.5, lambda s: 0.5 * s), "classification": (1.0, lambda s: 0.5 * s),
         "plain": (1.0, lambda s: s), "softplus": (0.5, F.softplus)}


def oracle(losses, log_vars, form="regression"):
    def terms(name, loss, s):
        factor, term = FORMS[name]
        return factor * torch.exp(-s) * loss + term(s)
    if isinstance(form, str):
        return terms(form, losses, log_vars).sum()
    return sum(terms(*task) for task in zip(form, losses, log_vars))


def tasks(t):
    return {"losses": uniform(t, high=3.0), "log_vars": normal(t)}


MIXED = ["regression", "classification", "plain", "softplus", "regression"]

CASES = [
    *[case(f"tasks-{t}", tasks(t)) for t in (1, 2, 3, 15, 17, 31, 33, 63, 65, 127, 1000, 1025)],
    *[case(f"{form}{suffix}", tasks(5), form=form, **options) for form in FORMS
      for suffix, options in (("", {}), ("-upstream", {"upstream": -2.5}),
                              ("-twice", {"twice": True, "upstream": -2.5}))],
    case("mixed", tasks(5), form=MIXED, twice=True),
    case("mixed-upstream", tasks(5), form=MIXED, upstream=-2.5),
    case("single-in-list", tasks(1), form=["classification"]),
    case("layout-strided", tasks(7), layout={"losses": "strided", "log_vars": "strided"}),
    case("layout-expanded", {"losses": fixed([1.25] * 7), "log_vars": fixed([0.5] * 7)},
         layout={"losses": "expanded", "log_vars": "expanded"}),
    case("empty", tasks(0), tags=["empty"]),
    case("zero-losses", {"losses": fixed([0.0, 0.0]), "log_vars": normal(2)}),
    case("negative-losses", {"losses": normal(5), "log_vars": normal(5)}),
    *[case(f"extreme-{form}", {"losses": fixed([1.0, 2.0, 1e-4, 1e4]),
                               "log_vars": fixed([80.0, -20.0, -80.0, 0.0])}, form=form,
           tags=["extreme"]) for form in FORMS],
    case("nonfinite", {"losses": fixed([math.nan, math.inf, 1.0]), "log_vars": normal(3)},
         tags=["nonfinite"]),
]


def crosscheck():
    """The formulas with sigma^2 = exp(s), as their papers print them."""
    def paper(losses, log_vars, form):
        v = log_vars.exp()
        return {"regression": losses / (2 * v) + v.sqrt().log(),
                "classification": losses / v + v.sqrt().log(),
                "plain": losses / v + v.log(),
                "softplus": losses / (2 * v) + (1 + v).log()}[form].sum()
    for form in FORMS:
        inputs = case("tasks", tasks(5), form=form)
        same(run(oracle, inputs), run(paper, inputs), form)
