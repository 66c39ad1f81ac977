"""torch.utils."""

import importlib


def __getattr__(name):
    if name in ("_pytree", "checkpoint", "data", "hooks"):
        return importlib.import_module(f"torch.utils.{name}")
    raise AttributeError(f"module 'torch.utils' has no attribute '{name}'", name=name)
