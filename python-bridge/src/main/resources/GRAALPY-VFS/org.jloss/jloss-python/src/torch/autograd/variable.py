"""The old name of tensors with gradients."""

import warnings

import torch


class VariableMeta(type):
    """Tensors are its instances."""

    def __instancecheck__(cls, other):
        return isinstance(other, torch.Tensor)

    def __call__(cls, data=None, requires_grad=False, volatile=False):
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        if data is not None and not isinstance(data, torch.Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        made = torch.empty(0) if data is None else data.detach()
        if requires_grad and not (made.is_floating_point() or made.is_complex()):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        return made.requires_grad_() if requires_grad else made


class Variable(metaclass=VariableMeta):
    """Variable(tensor, requires_grad=False) is a tensor of the same data, apart from the graph."""
