"""Tensors as text, as PyTorch prints them."""

import math

from . import _dtypes

PRECISION = 4
THRESHOLD = 1000
EDGE = 3
LINE = 80


class _Formatter:
    """One format for all elements: the same width, and the same notation."""

    def __init__(self, values, dtype):
        self.floating = dtype.is_floating_point
        self.width = 1
        if not self.floating:
            self.width = max((len(str(v)) for v in values), default=1)
            return
        self.whole, self.scientific = True, False
        finite = [v for v in values if math.isfinite(v) and v != 0]
        if not finite:
            return
        largest, smallest = max(map(abs, finite)), min(map(abs, finite))
        self.whole = all(v == math.ceil(v) for v in finite)
        wide = largest / smallest > 1000.0 or largest > 1.0e8
        self.scientific = wide or (not self.whole and smallest < 1.0e-4)
        if self.scientific:
            self.width = max(len(f"{v:.{PRECISION}e}") for v in finite)
        elif self.whole:
            self.width = max(len(f"{v:.0f}") for v in finite) + 1
        else:
            self.width = max(len(f"{v:.{PRECISION}f}") for v in finite)

    def __call__(self, value):
        if not self.floating:
            text = str(value)
        elif self.scientific:
            text = f"{value:.{PRECISION}e}"
        elif self.whole:
            text = f"{value:.0f}"
            if math.isfinite(value):
                text += "."
        else:
            text = f"{value:.{PRECISION}f}"
        return text.rjust(self.width)


def _edges(tensor):
    """The elements that a summary shows, in a tensor of their own."""
    for axis, size in enumerate(tensor.shape):
        if size > 2 * EDGE:
            head = tensor.narrow(axis, 0, EDGE)
            tail = tensor.narrow(axis, size - EDGE, EDGE)
            tensor = _cat((head, tail), axis)
    return tensor


def _cat(tensors, axis):
    from ._tensor import operator

    return operator("cat")(tensors, axis)


def _leaves(data, depth):
    for _ in range(depth - 1):
        data = [e for part in data for e in part]
    return data if depth else [data]


def text(tensor, prefix="tensor("):
    """What repr() gives."""
    dtype, shape = tensor.dtype, tensor.shape
    suffixes = []
    implied = dtype in (_dtypes.float32, _dtypes.int64, _dtypes.bool)
    if tensor.device == "meta":
        suffixes += ["device='meta'", f"size={tuple(shape)}"]
        body = "..."
    elif tensor.numel() == 0:
        if len(shape) != 1:
            suffixes.append(f"size={tuple(shape)}")
        implied = dtype is _dtypes.float32
        body = "[]"
    else:
        plain = tensor.detach()
        summarize = tensor.numel() > THRESHOLD
        shown = _edges(plain) if summarize else plain
        data = shown.tolist()
        form = _Formatter(_leaves(data, len(shape)), dtype)
        body = _shown(data, tuple(shape), len(prefix), summarize, form)
    if not implied:
        suffixes.append(f"dtype={dtype!r}")
    if tensor.grad_fn is not None:
        suffixes.append(f"grad_fn=<{tensor.grad_fn}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + body, suffixes, len(prefix))


def _shown(data, shape, indent, summarize, form):
    if not shape:
        return form(data)
    cut = summarize and shape[0] > 2 * EDGE
    if len(shape) == 1:
        line = max(1, (LINE - indent) // (form.width + 2))
        items = [form(v) for v in data]
        if cut:
            items.insert(EDGE, " ...")
        lines = [", ".join(items[i : i + line]) for i in range(0, len(items), line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    items = [_shown(part, shape[1:], indent + 1, summarize, form) for part in data]
    if cut:
        items.insert(EDGE, "...")
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(items) + "]"


def _with_suffixes(text, suffixes, indent):
    parts = [text]
    last = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > LINE:
            parts.append(",\n" + " " * indent + suffix)
            last = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            last += len(suffix) + 2
    return "".join(parts) + ")"
