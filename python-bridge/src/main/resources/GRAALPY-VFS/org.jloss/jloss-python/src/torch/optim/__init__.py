"""Optimisers and schedules of the learning rate, each file read when it is first asked for."""

import importlib

from jloss._tensor import missing as _missing

_WHERE = {
    "Optimizer": "optimizer",
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adam",
    "RMSprop": "rmsprop",
    "Adagrad": "adagrad",
    "LBFGS": "lbfgs",
    **dict.fromkeys(("Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop"), "adaptive"),
}
__all__ = list(_WHERE)


def __getattr__(name):
    if name in ("lr_scheduler", "swa_utils", *_WHERE.values()):
        return importlib.import_module(f"torch.optim.{name}")
    if name in _WHERE:
        found = globals()[name] = getattr(importlib.import_module(f"torch.optim.{_WHERE[name]}"), name)
        return found
    raise _missing("module 'torch.optim'", name, __dir__)


def __dir__():
    return sorted([*_WHERE, "lr_scheduler", "swa_utils"])
