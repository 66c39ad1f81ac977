"""Operators that PyTorch lists under torch.fft."""

from _jloss_host import host

from jloss._errors import call as _call
from jloss._tensor import missing as _missing, operator as _operator


def __getattr__(name):
    found = None if name.startswith("_") else _operator("fft_" + name, "f")
    if found is None:
        raise _missing("module 'torch.fft'", name, __dir__)
    globals()[name] = found
    return found


def __dir__():
    return sorted(name[len("fft_") :] for name in _call(host.operators, "f"))
