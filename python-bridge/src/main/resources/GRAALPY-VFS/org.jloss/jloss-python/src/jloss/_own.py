"""Losses and miners that a script writes."""

import sys

from _jloss_host import host

from ._errors import call
from ._losses import from_java
from ._systems import Loss, Miner
from ._tensor import Tensor, _wrap


def loss(function=None, name=None, backward=None):
    """A loss like the library's own from a function of tensors, or an object with a method forward.

    Its tensors are the parameters that have no default, and those after them whose default is None,
    which may be left out; others keep their default. It must return a tensor, which autograd
    differentiates; or give gradients of its own by backward, a function or a method of the object:
    backward(upstream, *tensors) returns a gradient for each tensor, or None, or just the first
    tensor's. PythonBridge.get hands such a loss to Java. Serves as a decorator too.
    """
    if function is None:
        return lambda function: loss(function, name, backward)
    if isinstance(function, Loss) and "_jloss" in function.__dict__:
        return function
    forward = _callable("loss", function)
    if backward is None and forward is not function:
        backward = getattr(function, "backward", None)
    title = _name(function, name)
    names, required = _tensors("loss", title, forward)

    def value(*handles):
        return (_checked(title, forward(*map(_wrap, handles)))._jloss,)

    def gradients(*handles):
        upstream, *tensors = map(_wrap, handles)
        found = backward(upstream, *tensors)
        found = [found] if found is None or isinstance(found, Tensor) else list(found)
        if len(found) > len(names):
            raise TypeError(f"{title}: expected backward to give {len(names)} gradients, got {len(found)}")
        for tensor, gradient, of in zip(tensors, found, names):
            if gradient is not None and _checked(title, gradient).shape != tensor.shape:
                raise ValueError(
                    f"{title}: expected the gradient of {of} to have shape {list(tensor.shape)}, got {list(gradient.shape)}"
                )
        found += [None] * (len(names) - len(found))
        return tuple(None if g is None else g._jloss for g in found)

    handle = call(host.ownLoss, title, names, required, value, gradients if backward else None)
    return _made(handle, loss, (function, name, backward))


def miner(function=None, name=None):
    """A miner from a function of tensors, or an object with a method forward.

    It returns three int64 vectors (anchor, positive, negative) or four (anchor1, positive, anchor2,
    negative). Its tensors are found as those of jloss.loss.
    """
    if function is None:
        return lambda function: miner(function, name)
    if isinstance(function, Miner) and "_jloss" in function.__dict__:
        return function
    forward = _callable("miner", function)
    title = _name(function, name)
    names, required = _tensors("miner", title, forward)

    def mine(*handles):
        vectors = tuple(forward(*map(_wrap, handles)))
        if len(vectors) not in (3, 4):
            raise ValueError(f"{title}: expected 3 or 4 vectors of positions, got {len(vectors)}")
        for vector in vectors:
            if str(_checked(title, vector).dtype)[-5:] != "int64" or vector.dim() != 1 or len(vector) != len(vectors[0]):
                raise ValueError(f"{title}: expected int64 vectors of one length, got {vector.dtype} of shape {list(vector.shape)}")
        return tuple(v._jloss for v in vectors)

    return _made(call(host.ownMiner, title, names, required, mine), miner, (function, name))


def _callable(what, function):
    forward = getattr(function, "forward", function)
    if isinstance(function, type) or not callable(forward):
        raise TypeError(f"{what}(): expected a function of tensors, got {function!r}")
    return forward


def _name(function, name):
    return name or getattr(function, "__name__", type(function).__name__).strip("<>")


def _tensors(what, name, forward):
    positional, defaults = _parameters(forward)
    required = len(positional) - len(defaults)
    optional = 0
    while optional < len(defaults) and defaults[optional] is None:
        optional += 1
    names = positional[: required + optional]
    if not names:
        raise TypeError(f"{what}(): expected {name} to have a parameter for each tensor")
    return tuple(names), required


def _parameters(forward):
    """The names of the positional parameters, and the defaults of the last of them."""
    function = getattr(forward, "__func__", forward)
    if type(function) is type(_parameters) and not hasattr(function, "__wrapped__"):
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        return names[1:] if function is not forward else names, function.__defaults__ or ()
    import inspect  # takes seconds

    found = [p for p in inspect.signature(forward).parameters.values() if p.kind <= p.POSITIONAL_OR_KEYWORD]
    return [p.name for p in found], [p.default for p in found if p.default is not p.empty]


def _checked(name, result):
    if not isinstance(result, Tensor):
        raise TypeError(f"{name}: expected a Tensor, got {type(result).__name__}")
    return result


def _made(handle, make, source):
    made = from_java(handle)
    cls = type(made)
    cls.__module__ = getattr(source[0], "__module__", cls.__module__)

    # By its own name, where a decorator gave it that of its function; else by what it was made of,
    # where that can be copied and pickled.
    def reduce(self):
        name = getattr(source[0], "__qualname__", "")
        found = sys.modules.get(cls.__module__)
        for part in name.split("."):
            found = getattr(found, part, None)
        return name if found is self else (make, source)

    cls.__reduce__ = reduce
    del cls.__copy__, cls.__deepcopy__
    text = getattr(source[0], "__doc__", None)
    if text and not isinstance(source[0], (Loss, Miner)):
        cls.__doc__ = f"{text}\n\n{cls.__doc__}"
    return made
