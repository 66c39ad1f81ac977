"""torch.save and torch.load of tensors and plain data.

Nothing else is written or read: no pickled classes, so a file cannot run code, whatever
weights_only says. Files lie in the folders that are open to the script.
"""

import errno
import os
from collections import Counter, OrderedDict

import torch
from _jloss_host import host
from jloss._errors import call
from jloss._tensor import _wrap
from torch.nn.parameter import Parameter

_files = host.tensorFiles()
_PLAIN = (type(None), bool, float, str)


def _pack(value, place):
    """As Java takes it: a list whose first element tells what it is."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**63 else ("int", str(value))
    if isinstance(value, torch.Tensor):
        handle = value.detach()
        return ("parameter", handle, value.requires_grad) if isinstance(value, Parameter) else handle
    if kind in (dict, OrderedDict, Counter):
        packed = ["ordered" if kind is OrderedDict else "dict"]
        for key, element in value.items():
            packed += (_pack(key, f"a key of {place}"), _pack(element, f"{place}[{key!r}]"))
        return packed
    if isinstance(value, bytes):
        return ("bytes", value.decode("latin1"))
    if kind in (list, tuple, set, torch.Size):
        name = "tuple" if kind is torch.Size else kind.__name__
        return (name, *(_pack(element, f"{place}[{i}]") for i, element in enumerate(value)))
    raise TypeError(
        f"cannot save {place}, a {kind.__module__}.{kind.__qualname__}: only tensors, numbers, texts and dicts, lists, "
        "tuples and sets of them; of a module save its state_dict()"
    )


def _unpack(packed):
    if packed is None:
        return None  # Java's, until here
    if isinstance(packed, (bool, int, float)):
        return packed
    if isinstance(packed, str):
        return str(packed)
    if hasattr(packed, "numel"):
        return _wrap(packed)
    kind, *rest = packed
    kind = str(kind)
    if kind == "int":
        return int(str(rest[0]))
    if kind == "bytes":
        return str(rest[0]).encode("latin1")
    values = [_unpack(element) for element in rest]
    if kind in ("dict", "ordered"):
        made = OrderedDict() if kind == "ordered" else {}
        made.update(zip(values[::2], values[1::2]))
        return made
    return {"list": list, "tuple": tuple, "set": set}[kind](values)


def save(obj, f, pickle_module=None, pickle_protocol=2, _use_new_zipfile_serialization=True):
    """Writes tensors and plain data to a .pt file, or to a .safetensors file by its ending.

    f: a path, or a file-like object for .pt. CPython's torch.load reads it.
    """
    packed = _pack(obj, "the object")
    if hasattr(f, "write"):
        f.write(call(_files.toText, packed).encode("latin1"))
    else:
        _at(_files.save, f, packed)


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what torch.save wrote here or in CPython, or a .safetensors file by its ending.

    f: a path, or a file-like object for .pt. Anything but tensors and plain data is refused by name.
    """
    anywhere = map_location is None or callable(map_location) or isinstance(map_location, dict)
    if not anywhere and str(map_location) not in ("cpu", "cpu:0"):
        raise NotImplementedError(f"there is no device {str(map_location)!r}, only cpu")
    if hasattr(f, "read"):
        return _unpack(call(_files.loadFrom, f.read()))
    return _unpack(_at(_files.load, f))


def _at(function, f, *arguments):
    try:
        return call(function, os.fspath(f), *arguments)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f) from None
