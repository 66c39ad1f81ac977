"""Weights as lengths and directions."""

import warnings

import torch

from ._hook import find


class WeightNorm:
    """The hook that joins length and direction before each forward."""

    def __init__(self, name, dim):
        self.name, self.dim = name, dim

    def length(self, weight):
        """The norms over all axes but one."""
        if self.dim == -1:
            return weight.norm(2)
        others = [axis for axis in range(weight.dim()) if axis != self.dim]
        return weight.norm(2, others, keepdim=True) if others else weight.abs()

    def compute(self, module):
        """The weight to use."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / self.length(v))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute(module))


def weight_norm(module, name="weight", dim=0):
    """Has a module learn a weight's length, of each index of an axis, apart from its direction."""
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    if find(module, WeightNorm, name)[1]:
        raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = getattr(module, name)
    del module._parameters[name]
    module.register_parameter(name + "_g", torch.nn.Parameter(hook.length(weight).data))
    module.register_parameter(name + "_v", torch.nn.Parameter(weight.data))
    setattr(module, name, hook.compute(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module, name="weight"):
    """Takes that off again: the weight is as it was used last."""
    key, hook = find(module, WeightNorm, name)
    if hook is None:
        raise ValueError(f"weight_norm of '{name}' not found in {module}")
    weight = hook.compute(module)
    delattr(module, name)
    del module._parameters[name + "_g"], module._parameters[name + "_v"]
    setattr(module, name, torch.nn.Parameter(weight.data))
    del module._forward_pre_hooks[key]
    return module
