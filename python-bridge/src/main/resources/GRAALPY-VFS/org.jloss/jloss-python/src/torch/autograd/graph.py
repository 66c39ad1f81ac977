"""The graph that backward goes through."""

from collections import namedtuple
from contextlib import contextmanager

from jloss._tensor import AccumulateGrad, Node, Tensor

__all__ = ["GradientEdge", "Node", "disable_saved_tensors_hooks", "get_gradient_edge", "save_on_cpu"]


class GradientEdge(namedtuple("GradientEdge", ["node", "output_nr", "ownership_token"], defaults=[None])):
    """Where the gradient of a tensor is: a node, and which of its results the tensor is."""

    def leaf(self):
        """The leaf whose gradient it is."""
        if not isinstance(self.node, AccumulateGrad):
            raise NotImplementedError(f"a GradientEdge here has to be of a leaf, not of {self.node.name()}")
        return self.node.variable


def get_gradient_edge(tensor):
    """Where the gradient of a tensor is."""
    if not isinstance(tensor, Tensor) or not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    node = tensor.grad_fn
    if node is None:
        node = tensor.view_as(tensor).grad_fn.next_functions[0][0]
    return GradientEdge(node, tensor.output_nr)


@contextmanager
def save_on_cpu(pin_memory=False, device_type="cuda"):
    """Nothing: what the graph saves is on the CPU."""
    yield


@contextmanager
def disable_saved_tensors_hooks(error_message):
    """Nothing: there are no such hooks."""
    yield


class saved_tensors_hooks:
    """Refused: libtorch calls such hooks through CPython alone."""

    def __init__(self, pack_hook, unpack_hook):
        raise NotImplementedError("saved_tensors_hooks is not supported: the graph keeps tensors as they are")
