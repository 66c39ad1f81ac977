"""The limits of dtypes."""

from jloss import _dtypes
from jloss._dtypes import as_dtype

# eps, max, smallest normal number, resolution
_FLOATS = {
    "float64": (2.0**-52, (2 - 2.0**-52) * 2.0**1023, 2.0**-1022, 1e-15),
    "float32": (2.0**-23, (2 - 2.0**-23) * 2.0**127, 2.0**-126, 1e-06),
    "float16": (2.0**-10, 65504.0, 2.0**-14, 1e-03),
    "bfloat16": (2.0**-7, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 1e-02),
}


class finfo:
    """The limits of a floating point dtype."""

    def __init__(self, type=None):
        dtype = _dtypes.default if type is None else as_dtype(type)
        if dtype.is_complex:
            dtype = _dtypes.float32 if dtype is _dtypes.complex64 else _dtypes.float64
        if not dtype.is_floating_point:
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{dtype!r}'")
        self.dtype = dtype._name
        self.bits = 8 * dtype.itemsize
        self.eps, self.max, self.tiny, self.resolution = _FLOATS[dtype._name]
        self.min, self.smallest_normal = -self.max, self.tiny

    def __repr__(self):
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype."""

    def __init__(self, type):
        dtype = as_dtype(type)
        if dtype.is_floating_point or dtype.is_complex:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{dtype!r}'")
        if dtype is _dtypes.bool:
            raise TypeError("torch.bool is not supported by torch.iinfo")
        self.dtype = dtype._name
        self.bits = 8 * dtype.itemsize
        self.max = 2 ** (self.bits - dtype.is_signed) - 1
        self.min = -self.max - 1 if dtype.is_signed else 0

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
