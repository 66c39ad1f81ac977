"""Neural networks: modules, parameters, losses."""

import importlib

from . import modules
from .parameter import Buffer, Parameter

_MODULES = ("functional", "init", "utils")
__all__ = ["Buffer", "Parameter", *modules.__all__]


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"torch.nn.{name}")
    if name in modules.__all__:
        found = globals()[name] = getattr(modules, name)
        return found
    import difflib

    near = difflib.get_close_matches(name, __dir__(), 1)
    hint = f". Did you mean: '{near[0]}'?" if near else ""
    raise AttributeError(f"module 'torch.nn' has no attribute '{name}'{hint}", name=name)


def __dir__():
    return sorted({*__all__, *_MODULES, "modules", "parameter"})
