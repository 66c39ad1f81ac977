"""Probability distributions: densities, samples with gradients, entropies and divergences."""

import importlib

from jloss._tensor import missing as _missing

_HOME = {
    "Bernoulli": "bernoulli",
    "Beta": "beta",
    "Categorical": "categorical",
    "Dirichlet": "dirichlet",
    "Distribution": "distribution",
    "Exponential": "exponential",
    "Gamma": "gamma",
    "Independent": "independent",
    "Laplace": "laplace",
    "LogNormal": "log_normal",
    "MixtureSameFamily": "mixture_same_family",
    "MultivariateNormal": "multivariate_normal",
    "Normal": "normal",
    "OneHotCategorical": "one_hot_categorical",
    "OneHotCategoricalStraightThrough": "one_hot_categorical",
    "Poisson": "poisson",
    "TransformedDistribution": "transformed_distribution",
    "Uniform": "uniform",
    "kl_divergence": "kl",
    "register_kl": "kl",
    **dict.fromkeys(
        """AbsTransform AffineTransform ComposeTransform ExpTransform IndependentTransform PowerTransform
        SigmoidTransform SoftmaxTransform SoftplusTransform StickBreakingTransform TanhTransform Transform
        identity_transform""".split(),
        "transforms",
    ),
}
_MODULES = frozenset((*_HOME.values(), "constraints", "utils"))

__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"torch.distributions.{name}")
    if name not in _HOME:
        raise _missing("module 'torch.distributions'", name, lambda: (*_HOME, *_MODULES))
    found = getattr(importlib.import_module(f"torch.distributions.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__():
    return sorted((*_HOME, *_MODULES))
