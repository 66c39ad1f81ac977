"""Python's data as tensors and back. Loops over elements are left to builtins, which Java runs."""

import array
import itertools
import math
import sys

from _jloss_host import host

from . import _dtypes, _tensor
from ._dtypes import as_dtype, by_typecode
from ._errors import call

_SEQUENCES = (list, tuple, range)

# What complex numbers make, by the default dtype.
_COMPLEX = {
    _dtypes.float16: _dtypes.complex32,
    _dtypes.float32: _dtypes.complex64,
    _dtypes.float64: _dtypes.complex128,
}


def tensor(data, dtype=None, requires_grad=False, device=None):
    """A tensor with a copy of the data.

    data: a number, nested lists or tuples of numbers, a tensor, or anything with a buffer: bytes,
    bytearray, array.array, memoryview. dtype: of the data where it is not given; Python's floats
    make float32.
    """
    if device is not None:
        device = _dtypes.device(device)
        device._jloss
    if dtype is not None:
        dtype = as_dtype(dtype)
    if isinstance(data, _tensor.Tensor):
        made = data.detach().clone()
    elif isinstance(data, (bytes, bytearray, array.array, memoryview)):
        made = _from_buffer(data)
    else:
        made = _from_numbers(data, dtype)
    if (dtype is not None and made.dtype is not dtype) or device is not None:
        made = made.to(device=device, dtype=dtype)
    if requires_grad:
        _tensor.check_differentiable(made)
        made.requires_grad_()
    return made


def _make(data, dtype, shape):
    return _tensor.wrap_tensor(call(host.fromBytes, data, dtype._code, shape))


def _from_buffer(data):
    view = memoryview(data)
    code = view.format.lstrip("@=<")
    if code not in by_typecode:
        raise TypeError(f"a buffer of format '{view.format}' has no dtype")
    return _make(data if isinstance(data, (bytes, array.array)) else view.tobytes(), by_typecode[code], view.shape)


def _from_numbers(data, dtype):
    shape, flat = _flatten(data)
    if flat and isinstance(flat[0], _tensor.Tensor):
        flat = [e.item() if isinstance(e, _tensor.Tensor) else e for e in flat]
    try:
        numbers, source = _pack(flat, dtype)
    except (TypeError, ValueError) as error:
        raise _diagnosis(flat, len(shape)) or error from None
    made = _make(numbers, source, shape)
    if dtype is not None:
        return made
    if source is _dtypes.complex128:
        if _dtypes.default not in _COMPLEX:
            raise RuntimeError("invalid default scalar type for complex")
        return made.to(_COMPLEX[_dtypes.default])
    return made.to(_dtypes.default) if source.is_floating_point else made


def _flatten(data):
    """The shape of nested sequences, and all their elements in one list."""
    if not isinstance(data, _SEQUENCES):
        return (), [data]
    shape, flat = [len(data)], data
    if flat and isinstance(flat[0], str):
        raise ValueError("too many dimensions 'str'")
    while flat and isinstance(flat[0], _SEQUENCES):
        depth, size = len(shape), len(flat[0])
        for kind in set(map(type, flat)):
            if not issubclass(kind, _SEQUENCES):
                raise TypeError(f"expected a sequence at dim {depth}, got {kind.__name__}")
        for other in set(map(len, flat)):
            if other != size:
                raise ValueError(f"expected sequence of length {size} at dim {depth} (got {other})")
        shape.append(size)
        flat = list(itertools.chain.from_iterable(flat))
    return tuple(shape), flat


def _pack(flat, dtype):
    """Numbers as an array, and its dtype: the one that is asked for, if an array can have it."""
    if complex in set(map(type, flat)):
        parts = itertools.chain.from_iterable((z.real, z.imag) for z in map(complex, flat))
        return array.array("d", parts), _dtypes.complex128
    if dtype is None or dtype is _dtypes.bool:
        try:
            if not flat:
                return array.array("f"), _dtypes.float32
            # Fails at the first float.
            numbers = array.array("q", flat)
        except TypeError:
            dtype = dtype or _dtypes.default
        except OverflowError:
            raise ValueError("Overflow when unpacking long long") from None
        else:
            if isinstance(flat[0], bool) and dtype is None and set(map(type, flat)) == {bool}:
                return array.array("b", flat), _dtypes.bool
            return numbers, _dtypes.int64
    if dtype.is_floating_point:
        if dtype is _dtypes.float32:
            try:
                return array.array("f", flat), dtype
            except OverflowError:
                pass
        return array.array("d", flat), _dtypes.float64
    if dtype is _dtypes.bool:
        return array.array("d", flat), _dtypes.float64
    try:
        try:
            return array.array(dtype._typecode, flat), dtype
        except TypeError:
            return array.array(dtype._typecode, list(map(int, flat))), dtype
    except OverflowError:
        most = 2 ** (8 * dtype.itemsize) - 1
        if not dtype.is_signed and dtype is not _dtypes.uint64 and all(-most <= v <= most for v in flat):
            # Negative numbers count from the end, as in C.
            return array.array(dtype._typecode, [int(v) & most for v in flat]), dtype
        raise RuntimeError(f"value cannot be converted to type {dtype._name} without overflow") from None


def _diagnosis(flat, depth):
    """Why elements are no numbers, in words."""
    for kind in set(map(type, flat)):
        if issubclass(kind, _SEQUENCES):
            return ValueError(f"expected a number at dim {depth}, got a sequence")
        if issubclass(kind, (str, bytes)):
            return TypeError(f"new(): invalid data type '{kind.__name__}'")
        if not hasattr(kind, "__float__"):
            return RuntimeError(f"Could not infer dtype of {kind.__name__}")
    return None


def to_bytes(tensor):
    """The elements' bytes in row order."""
    # Java can hand over no bytes in one go, but text: a character a byte.
    return call(host.toText, tensor._jloss).encode("latin-1")


def _viewed(tensor):
    # bfloat16 has no buffer format, and float16 none on JDK 17.
    if tensor.dtype in (_dtypes.bfloat16, _dtypes.float16):
        tensor = tensor.float()
    return to_bytes(tensor), tensor.dtype._typecode


def to_list(tensor):
    """The elements as nested lists of Python numbers."""
    data, code = _viewed(tensor)
    shape = tensor.shape
    if not shape:
        return memoryview(data).cast(code)[0]
    if tensor.numel() == 0:
        return _empty(shape)
    return memoryview(data).cast(code, list(shape)).tolist()


def _empty(shape):
    return [_empty(shape[1:]) for _ in range(shape[0])] if shape else []


def to_buffer(tensor):
    """The elements as a memoryview."""
    if tensor.dtype in (_dtypes.bfloat16, _dtypes.float16):
        raise TypeError(f"{tensor.dtype} has no buffer format; use float()")
    view = memoryview(to_bytes(tensor))
    code, shape = tensor.dtype._typecode, tensor.shape
    return view.cast(code, list(shape)) if shape and tensor.numel() else view.cast(code)


def array_interface(tensor):
    """NumPy's description of an array."""
    dtype = tensor.dtype
    if dtype is _dtypes.bfloat16:
        raise TypeError(f"{dtype} is unknown to NumPy; use float()")
    kind = "b" if dtype is _dtypes.bool else "f" if dtype.is_floating_point else "u" if not dtype.is_signed else "i"
    order = "|" if dtype.itemsize == 1 else "<" if sys.byteorder == "little" else ">"
    return {
        "version": 3,
        "shape": tuple(tensor.shape),
        "typestr": f"{order}{kind}{dtype.itemsize}",
        "data": to_bytes(tensor),
    }


def restore(dtype, shape, data, requires_grad):
    """What a pickle calls."""
    made = _make(data, getattr(_dtypes, dtype), shape)
    return made.requires_grad_() if requires_grad else made
