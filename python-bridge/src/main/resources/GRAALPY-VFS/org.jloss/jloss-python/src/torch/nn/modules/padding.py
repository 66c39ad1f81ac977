"""Padding."""

from torch.nn import functional as F

from .module import Module


class _Pad(Module):
    _mode = ""
    _axes = 0

    def __init__(self, padding):
        super().__init__()
        self.padding = F._repeated(padding, 2 * self._axes)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


def _kinds(name, base, mode, doc):
    for axes in (1, 2, 3):
        kind = f"{name}{axes}d"
        members = {"_mode": mode, "_axes": axes, "__doc__": doc, "__module__": __name__}
        globals()[kind] = type(kind, (base,), members)


_kinds("ConstantPad", _ConstantPad, "constant", "Padded with a value.")
_kinds("ZeroPad", _ZeroPad, "constant", "Padded with zeros.")
_kinds("ReflectionPad", _Pad, "reflect", "Padded with the reflection at the edge.")
_kinds("ReplicationPad", _Pad, "replicate", "Padded with the value at the edge.")
_kinds("CircularPad", _Pad, "circular", "Padded with the values of the other end.")
