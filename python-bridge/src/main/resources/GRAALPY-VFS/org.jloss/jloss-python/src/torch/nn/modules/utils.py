"""Sizes given once for all axes, under the names that other libraries import."""

import functools

from torch.nn.functional import _repeated

_single, _pair, _triple, _quadruple = (functools.partial(_repeated, count=n) for n in (1, 2, 3, 4))


def _ntuple(n, name="parse"):
    return functools.partial(_repeated, count=n)
