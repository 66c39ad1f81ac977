"""Tensors that belong to a module."""

import torch


class Parameter(torch.Tensor):
    """A tensor that a module counts among its parameters once it is assigned to an attribute.

    It shares its data with the tensor that it is made of.
    """

    def __new__(cls, data=None, requires_grad=True):
        return torch.Tensor._make_subclass(cls, torch.empty(0) if data is None else data, requires_grad)

    def __init__(self, data=None, requires_grad=True):
        pass

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce__(self):
        return Parameter, (self.detach(), self.requires_grad)


class Buffer(torch.Tensor):
    """A tensor that a module counts among its buffers once it is assigned to an attribute."""

    def __new__(cls, data=None, *, persistent=True):
        data = torch.empty(0) if data is None else data
        made = torch.Tensor._make_subclass(cls, data, data.requires_grad)
        made.persistent = persistent
        return made

    def __init__(self, data=None, *, persistent=True):
        pass
