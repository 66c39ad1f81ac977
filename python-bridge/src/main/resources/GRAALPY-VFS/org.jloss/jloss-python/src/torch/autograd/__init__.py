"""Gradients of computations with tensors."""

import importlib
import warnings

from jloss._errors import call as _call
from jloss._tensor import (
    Tensor,
    _wrap,
    autograd as _host,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    missing as _missing,
    no_grad,
    operator as _operator,
    set_grad_enabled,
)

_HOME = {
    "Function": "function",
    "gradcheck": "gradcheck",
    "gradgradcheck": "gradcheck",
    "Variable": "variable",
}
_MODULES = ("function", "functional", "grad_mode", "graph", "variable")


def __getattr__(name):
    if name in _HOME:
        found = getattr(importlib.import_module(f"torch.autograd.{_HOME[name]}"), name)
        globals()[name] = found
        return found
    if name in _MODULES:
        return importlib.import_module(f"torch.autograd.{name}")
    raise _missing("module 'torch.autograd'", name, lambda: (*_HOME, *_MODULES, *globals()))


def _tensors(given, what):
    from torch.autograd.graph import GradientEdge

    given = (given,) if isinstance(given, (Tensor, GradientEdge)) else tuple(given)
    given = tuple(one.leaf() if isinstance(one, GradientEdge) else one for one in given)
    for one in given:
        if not isinstance(one, Tensor):
            raise TypeError(f"expected {what} to be tensors, got {type(one).__name__}")
    return given


def _upstream(outputs, gradients):
    """One gradient an output, checked; empty where all are left out."""
    if gradients is None:
        return ()
    gradients = (gradients,) if isinstance(gradients, Tensor) else tuple(gradients)
    if all(g is None for g in gradients):
        return ()
    if len(gradients) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    for i, (output, gradient) in enumerate(zip(outputs, gradients)):
        if gradient is None:
            continue
        if not isinstance(gradient, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
        if gradient.shape != output.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {gradient.shape} and "
                f"output[{i}] has a shape of {output.shape}."
            )
        if gradient.is_complex() != output.is_complex():
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. "
                f"Mismatch in dtype: grad_output[{i}] has a dtype of {gradient.dtype} and "
                f"output[{i}] has a dtype of {output.dtype}."
            )
    return gradients


def _handles(tensors):
    return tuple(None if t is None else t._jloss for t in tensors)


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, grad_variables=None, inputs=None):
    """Adds the gradients of tensors to `grad` of the leaves, or of those in inputs alone."""
    tensors = _tensors(tensors, "tensors")
    if inputs is not None:
        inputs = _tensors(inputs, "inputs")
        if not inputs:
            raise RuntimeError("'inputs' argument to backward() cannot be empty.")
    gradients = _upstream(tensors, grad_tensors if grad_variables is None else grad_variables)
    retain = create_graph if retain_graph is None else retain_graph
    _call(
        _host.backward,
        _handles(tensors),
        _handles(gradients),
        bool(retain),
        bool(create_graph),
        _handles(inputs or ()),
    )


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    only_inputs=True,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of outputs with respect to inputs; nothing is added to any `grad`."""
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    if is_grads_batched:
        return _batched(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, "
            "but got: allow_unused=False."
        )
    outputs, inputs = _tensors(outputs, "outputs"), _tensors(inputs, "inputs")
    found = _call(
        _host.grad,
        _handles(outputs),
        _handles(inputs),
        _handles(_upstream(outputs, grad_outputs)),
        bool(create_graph if retain_graph is None else retain_graph),
        bool(create_graph),
    )
    # Java's null is not quite None.
    found = tuple(None if f is None else _wrap(f) for f in found)
    if not (allow_unused or materialize_grads) and any(f is None for f in found):
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph. "
            "Set allow_unused=True if this is the desired behavior."
        )
    if materialize_grads:
        found = tuple(_operator("zeros_like", "t")(i) if f is None else f for f, i in zip(found, inputs))
    return found


def _batched(outputs, inputs, grad_outputs, retain_graph, create_graph, *options):
    """The gradients for each element along the first axis of grad_outputs, stacked."""
    upstream = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)
    count = next(len(u) for u in upstream if u is not None)
    rows = []
    for i in range(count):
        retain = i < count - 1 or (create_graph if retain_graph is None else retain_graph)
        each = tuple(None if u is None else u[i] for u in upstream)
        rows.append(grad(outputs, inputs, each, retain, create_graph, True, options[0], False, options[1]))
    stack = _operator("stack", "t")
    return tuple(None if column[0] is None else stack(column) for column in zip(*rows))


class set_detect_anomaly:
    """Nothing: errors of a backward pass name the operation's backward anyway."""

    def __init__(self, mode, check_nan=True):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


class detect_anomaly(set_detect_anomaly):
    """Nothing, see set_detect_anomaly."""

    def __init__(self, check_nan=True):
        pass
