"""Hooks of tensors and of the graph's nodes."""

from _weakref import ref

from ._errors import call
from ._tensor import Tensor, _wrap, autograd


class RemovableHandle:
    """Removes a hook: by remove(), or at the end of a with statement."""

    def __init__(self, hook):
        self._hook = hook

    def remove(self):
        """Removes the hook."""
        self._hook.remove()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def register(tensor, hook, accumulated):
    """Has a tensor call a function when its gradient is there."""
    if not callable(hook):
        raise TypeError(f"expected hook to be callable, got {type(hook).__name__}")
    if not tensor.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if accumulated and not tensor.is_leaf:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")

    # The graph holds what it calls through Java, where no collector follows: that must not hold the
    # tensor, or neither would ever be freed.
    run = _on_accumulated(ref(tensor), hook) if accumulated else _on_gradient(hook)
    return RemovableHandle(call(autograd.hook, tensor._jloss, accumulated, run))


def register_node(node, hook, before):
    """Has a node of the graph call a function before or after it computes."""
    if not callable(hook):
        raise TypeError(f"expected hook to be callable, got {type(hook).__name__}")
    count = len(node.next_functions)

    def run(handles):
        given = tuple(map(_wrap, handles))
        result = hook(given) if before else hook(given[:count], given[count:])
        if result is None:
            return ()
        result = (result,) if isinstance(result, Tensor) else tuple(result)
        wanted = len(given) if before else count
        if len(result) != wanted:
            raise RuntimeError(
                f"hook '{getattr(hook, '__name__', type(hook).__name__)}' has returned an incorrect number of values "
                f"(got {len(result)}, but expected {wanted})"
            )
        for one in result:
            if one is not None and not isinstance(one, Tensor):
                raise TypeError(f"expected Variable, but hook returned '{type(one).__name__}'")
        return tuple(None if one is None else one._jloss for one in result)

    return RemovableHandle(call(node._jloss.hook, before, run))


def _on_gradient(hook):
    def run(handle):
        result = hook(_wrap(handle))
        if result is None:
            return None
        if not isinstance(result, Tensor):
            raise TypeError("expected Variable, but hook returned '" + type(result).__name__ + "'")
        return result._jloss

    return run


def _on_accumulated(leaf, hook):
    def run(handle):
        tensor = leaf()
        if hook(_wrap(handle) if tensor is None else tensor) is not None:
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")

    return run
