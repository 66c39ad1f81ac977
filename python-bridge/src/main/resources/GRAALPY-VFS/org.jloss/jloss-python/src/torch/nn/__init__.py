"""Neural networks: modules, parameters, losses."""

import importlib

from jloss._tensor import missing as _missing

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
    raise _missing("module 'torch.nn'", name, __dir__)


def __dir__():
    return sorted({*__all__, *_MODULES, "modules", "parameter"})
