"""Functions with a gradient of their own."""

import functools

from jloss._errors import call
from jloss._tensor import Tensor, _wrap, autograd, is_grad_enabled, no_grad, operator


class FunctionCtx:
    """What forward leaves for backward."""

    def __init__(self):
        self._to_save = ()
        self._saved = ()
        self._fixed = ()
        self._materialize = True
        self.needs_input_grad = ()

    def save_for_backward(self, *tensors):
        """Keeps inputs, outputs or other tensors for saved_tensors in backward."""
        for one in tensors:
            if one is not None and not isinstance(one, Tensor):
                raise TypeError(f"save_for_backward can only save variables, but argument is of type {type(one).__name__}")
        self._to_save = tensors

    @property
    def saved_tensors(self):
        """What save_for_backward kept."""
        return self._saved or self._to_save

    def mark_non_differentiable(self, *tensors):
        """Outputs that have no gradient."""
        self._fixed = tensors

    def mark_dirty(self, *tensors):
        """Refused: an input that forward changes in place."""
        raise NotImplementedError("mark_dirty is not supported: give back a changed copy of the input")

    def set_materialize_grads(self, value):
        """Whether backward is given zeros for gradients that are not there, or None."""
        self._materialize = value


class Function:
    """A function with a gradient of its own: a subclass has static methods forward and backward.

    forward(ctx, *inputs), or forward(*inputs) with setup_context(ctx, inputs, output);
    backward(ctx, *gradients of the outputs) gives a gradient an input. Use: Name.apply(*inputs).
    """

    def __init__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. "
            "Please use new-style autograd function with static forward method."
        )

    @staticmethod
    def forward(*args, **kwargs):
        """The outputs."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx, *gradients):
        """The gradients of the inputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function "
            "to use it with backward mode AD."
        )

    setup_context = None

    @classmethod
    def apply(cls, *args, **kwargs):
        """Computes the outputs, with a graph where an input requires a gradient."""
        if kwargs:
            raise TypeError(f"{cls.__name__}.apply() takes no keyword arguments")
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with no_grad():
            if cls.setup_context is None:
                given = cls.forward(ctx, *args)
            else:
                given = cls.forward(*args)
                cls.setup_context(ctx, args, given)
        if not is_grad_enabled() or not any(ctx.needs_input_grad):
            return given
        outputs = given if isinstance(given, tuple) else (given,)
        recorded = _record(cls, ctx, args, outputs)
        return tuple(recorded) if isinstance(given, tuple) else recorded[0]


def _record(cls, ctx, args, outputs):
    inputs = tuple(a._jloss for a in args if isinstance(a, Tensor))
    fixed = {id(t) for t in ctx._fixed}
    traced = tuple(o._jloss if isinstance(o, Tensor) and id(o) not in fixed else None for o in outputs)
    saved = tuple(None if t is None else t._jloss for t in ctx._to_save)
    shapes = tuple((tuple(o.shape), o.dtype) if isinstance(o, Tensor) else None for o in outputs)
    name = cls.__name__ + "Backward"
    count = len(saved)

    def run(given):
        given = [_wrap(g) for g in given]
        ctx._saved = tuple(given[:count])
        gradients = given[count:]
        if ctx._materialize:
            gradients = [
                operator("zeros", "t")(shape[0], dtype=shape[1]) if g is None and shape else g
                for g, shape in zip(gradients, shapes)
            ]
        try:
            found = (cls.vjp if hasattr(cls, "vjp") else cls.backward)(ctx, *gradients)
        finally:
            ctx._saved = ()
        return _checked(name, args, found if isinstance(found, tuple) else (found,))

    # The graph keeps what is saved, and frees it with itself.
    ctx._to_save = ()
    results = call(autograd.record, name, inputs, traced, saved, run)
    return [o if t is None else _wrap(r) for o, t, r in zip(outputs, traced, results)]


def _checked(name, args, found):
    surplus = found[len(args) :]
    if len(found) < len(args) or any(g is not None for g in surplus):
        raise RuntimeError(
            f"function {name} returned an incorrect number of gradients (expected {len(args)}, got {len(found)})"
        )
    handles = []
    for position, (argument, gradient) in enumerate(zip(args, found), 1):
        if gradient is not None and not isinstance(gradient, Tensor):
            raise TypeError(f"expected Variable or None (got {type(gradient).__name__})")
        if isinstance(argument, Tensor):
            handles.append(None if gradient is None else gradient._jloss)
        elif gradient is not None:
            raise RuntimeError(
                f"function {name} returned a gradient different from None at position {position}, "
                "but the corresponding forward input was not a Variable"
            )
    return tuple(handles)


def once_differentiable(fn):
    """For a backward whose own gradient would be wrong: a second one is refused."""

    @functools.wraps(fn)
    def wrapper(ctx, *args):
        with no_grad():
            found = fn(ctx, *args)
        if not is_grad_enabled() or not any(isinstance(a, Tensor) and a.requires_grad for a in args):
            return found
        outputs = found if isinstance(found, tuple) else (found,)
        refused = _record(_Refusal, FunctionCtx(), args, outputs)
        return tuple(refused) if isinstance(found, tuple) else refused[0]

    return wrapper


class _Refusal(Function):
    @staticmethod
    def backward(ctx, *gradients):
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
