"""Activations."""

import torch
from torch.nn import functional as F
from torch.nn.parameter import Parameter

from .module import Module


class _Activation(Module):
    """A function of functional, with this module's attributes as its further arguments.

    repr() shows those that are in `_shown`, and whether it works in place.
    """

    _function = ""
    _arguments = ()
    _shown = None

    def forward(self, input):
        return getattr(F, self._function)(input, **{name: getattr(self, name) for name in self._arguments})

    def extra_repr(self):
        shown = self._shown
        if shown is None:
            shown = [name for name in self._arguments if name != "inplace"]
        parts = [f"{name}={getattr(self, name)}" for name in shown]
        if getattr(self, "inplace", False) and "inplace" in self._arguments:
            parts.append("inplace=True")
        return ", ".join(parts)


class _InPlace(_Activation):
    _arguments = ("inplace",)

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, input):
        return F.relu(input, self.inplace)


class SELU(_InPlace):
    """ELU scaled so that means and variances are kept."""

    _function = "selu"


class SiLU(_InPlace):
    """x sigmoid(x)."""

    _function = "silu"


class Mish(_InPlace):
    """x tanh(softplus(x))."""

    _function = "mish"


class Hardsigmoid(_InPlace):
    """relu6(x + 3) / 6."""

    _function = "hardsigmoid"

    def extra_repr(self):
        return ""


class Hardswish(_InPlace):
    """x relu6(x + 3) / 6."""

    _function = "hardswish"

    def extra_repr(self):
        return ""


class _Alpha(_Activation):
    _arguments = ("alpha", "inplace")

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class ELU(_Alpha):
    """x where it is positive, alpha (exp(x) - 1) elsewhere."""

    _function = "elu"


class CELU(_Alpha):
    """max(x, 0) + min(0, alpha (exp(x / alpha) - 1))."""

    _function = "celu"


class LeakyReLU(_Activation):
    """x where it is positive, negative_slope x elsewhere."""

    _function = "leaky_relu"
    _arguments = ("negative_slope", "inplace")

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace


class RReLU(_Activation):
    """Leaky ReLU whose slope is drawn from [lower, upper] in training."""

    _function = "rrelu"
    _arguments = ("lower", "upper", "training", "inplace")
    _shown = ("lower", "upper")

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace


class Hardtanh(_Activation):
    """Elements clamped to [min_val, max_val]."""

    _function = "hardtanh"
    _arguments = ("min_val", "max_val", "inplace")

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False):
        super().__init__()
        if min_val >= max_val:
            raise AssertionError("max_val must be larger than min_val")
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace


class ReLU6(Hardtanh):
    """min(max(x, 0), 6)."""

    _shown = ()

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)


class Threshold(_Activation):
    """Elements where they are above the threshold, value elsewhere."""

    _function = "threshold"
    _arguments = ("threshold", "value", "inplace")

    def __init__(self, threshold, value, inplace=False):
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    _function = "sigmoid"


class Tanh(_Activation):
    """The hyperbolic tangent."""

    _function = "tanh"


class LogSigmoid(_Activation):
    """log(sigmoid(x))."""

    _function = "logsigmoid"


class Softsign(_Activation):
    """x / (1 + |x|)."""

    _function = "softsign"


class Tanhshrink(_Activation):
    """x - tanh(x)."""

    _function = "tanhshrink"


class GLU(_Activation):
    """The first half along dim times the sigmoid of the second."""

    _function = "glu"
    _arguments = ("dim",)

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim


class GELU(_Activation):
    """x times the normal distribution's function, or its approximation by tanh."""

    _function = "gelu"
    _arguments = ("approximate",)

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class _Shrink(_Activation):
    _arguments = ("lambd",)

    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def extra_repr(self):
        return str(self.lambd)


class Hardshrink(_Shrink):
    """Elements where they are beyond lambd, zero elsewhere."""

    _function = "hardshrink"


class Softshrink(_Shrink):
    """Elements moved by lambd towards zero."""

    _function = "softshrink"


class Softplus(_Activation):
    """log(1 + exp(beta x)) / beta, linear above the threshold."""

    _function = "softplus"
    _arguments = ("beta", "threshold")

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta = beta
        self.threshold = threshold


class PReLU(Module):
    """Leaky ReLU with a learned slope."""

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(torch.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        """Slopes as at first."""
        with torch.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input):
        return F.prelu(input, self.weight)

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


class _Softmax(_Activation):
    _arguments = ("dim",)

    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim


class Softmax(_Softmax):
    """exp(x) divided by its sum along dim."""

    _function = "softmax"


class Softmin(_Softmax):
    """softmax(-x)."""

    _function = "softmin"


class LogSoftmax(_Softmax):
    """log(softmax(x))."""

    _function = "log_softmax"


class Softmax2d(Module):
    """softmax over the channels of (N, C, H, W) or (C, H, W)."""

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)
