"""PyTorch's names over jloss's tensors, for scripts written for PyTorch.

Operators of libtorch are functions of this module and methods of Tensor. What is missing raises
AttributeError with the nearest name that there is.
"""

import importlib

from jloss import _dtypes
from jloss._dtypes import (
    bfloat16,
    bool,
    double,
    dtype,
    float,
    float16,
    float32,
    float64,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    uint8,
)
from jloss._tensor import (
    Size,
    Tensor,
    enable_grad,
    is_grad_enabled,
    manual_seed,
    no_grad,
    operator as _operator,
    set_grad_enabled,
    tensor,
)

from math import e, inf, nan, pi

_dtypes.prefix = "torch"

# Read when they are first asked for, as most scripts need few of them.
_MODULES = ("accelerator", "amp", "autograd", "backends", "compiler", "distributed", "jit", "nn", "optim", "utils")


_HOME = {"save": "serialization", "load": "serialization"}


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"torch.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"torch.{_HOME[name]}"), name)
    if not name.startswith("_"):
        found = _operator(name)
        if found is not None:
            globals()[name] = found
            return found
    import difflib

    near = difflib.get_close_matches(name, __dir__(), 1)
    hint = f". Did you mean: '{near[0]}'?" if near else ""
    raise AttributeError(f"module 'torch' has no attribute '{name}'{hint}", name=name)


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_MODULES})
