"""jloss: loss functions on libtorch tensors, inside the JVM.

    loss = jloss.FocalLoss(gamma=2.0)(logits, target)
    loss.backward()
    logits.grad
    value, gradients = jloss.FocalLoss().value_and_grad(logits, target)
    jloss.functional.focal_loss(logits, target, gamma=2.0)

Every loss, miner and memory of the library is a class here, and but for memories a function in
jloss.functional; dir(jloss) lists them, jloss.loss makes one of a function of tensors, help() tells the formula, the shapes and the parameters of one. Operators of libtorch are
functions of this module and methods of Tensor: jloss.exp(x), x.exp().
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
from ._losses import Loss, Memory, Miner, Pairs, Triplets, loss, names as _names, loss_class as _loss_class
from . import functional

from math import e, inf, nan, pi


def __getattr__(name):
    # Classes and operators are made when they are first asked for: there are hundreds.
    if not name.startswith("_"):
        found = _loss_class(name) or _operator(name)
        if found is not None:
            globals()[name] = found
            return found
    raise _missing("module 'jloss'", name, () if name.startswith("_") else __dir__())


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_names()})
