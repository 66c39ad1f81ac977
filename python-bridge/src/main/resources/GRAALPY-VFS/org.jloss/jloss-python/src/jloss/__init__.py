"""jloss: loss functions on libtorch tensors, inside the JVM.

    loss = jloss.FocalLoss(gamma=2.0)(logits, target)
    loss.backward()
    logits.grad
    value, gradients = jloss.FocalLoss().value_and_grad(logits, target)
    jloss.functional.focal_loss(logits, target, gamma=2.0)

Every loss, miner and memory of the library is a class here, and but for memories a function in
jloss.functional; dir(jloss) lists them, help() tells the formula, the shapes and the parameters of
one. Losses compose: 0.5 * jloss.FocalLoss() + 0.3 * jloss.DiceLoss(). jloss.loss and jloss.miner make
one of a function of tensors. Operators of libtorch are functions of this module and methods of
Tensor: jloss.exp(x), x.exp().
"""

from ._dtypes import (
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
from ._tensor import (
    Tensor,
    enable_grad,
    is_grad_enabled,
    manual_seed,
    missing as _missing,
    no_grad,
    operator as _operator,
    set_grad_enabled,
    tensor,
)
from ._systems import Loss, Memory, Miner, WeightedSum
from ._losses import names as _names, loss_class as _loss_class
from . import functional

from math import e, inf, nan, pi


# Read when they are asked for, as what they import takes long.
_LATER = {
    "Triplets": "_tuples",
    "Pairs": "_tuples",
    "loss": "_own",
    "miner": "_own",
    "__version__": "_version",
}


def __getattr__(name):
    if name in _LATER:
        import importlib

        found = globals()[name] = getattr(importlib.import_module(f"jloss.{_LATER[name]}"), name)
        return found
    # Classes and operators are made when they are first asked for: there are hundreds.
    if not name.startswith("_"):
        found = _loss_class(name) or _operator(name)
        if found is not None:
            globals()[name] = found
            return found
    raise _missing("module 'jloss'", name, __dir__)


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_LATER, *_names()})
