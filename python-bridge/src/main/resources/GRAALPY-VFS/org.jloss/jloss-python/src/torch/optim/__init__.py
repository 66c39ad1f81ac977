"""Optimisers and schedules of the learning rate, each file read when it is first asked for."""

import importlib

_WHERE = {
    "Optimizer": "optimizer",
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adam",
    "RMSprop": "rmsprop",
    "Adagrad": "adagrad",
    "LBFGS": "lbfgs",
}
__all__ = list(_WHERE)


def __getattr__(name):
    if name in ("lr_scheduler", *_WHERE.values()):
        return importlib.import_module(f"torch.optim.{name}")
    if name in _WHERE:
        found = globals()[name] = getattr(importlib.import_module(f"torch.optim.{_WHERE[name]}"), name)
        return found
    import difflib

    near = difflib.get_close_matches(name, __dir__(), 1)
    hint = f". Did you mean: '{near[0]}'?" if near else ""
    raise AttributeError(f"module 'torch.optim' has no attribute '{name}'{hint}", name=name)


def __dir__():
    return sorted([*_WHERE, "lr_scheduler"])
