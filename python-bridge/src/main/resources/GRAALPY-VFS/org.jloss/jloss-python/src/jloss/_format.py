"""Tensors as text, as PyTorch prints them."""

import math

from . import _dtypes


class Options:
    """What torch.set_printoptions sets."""

    precision = 4
    threshold = 1000
    edgeitems = 3
    linewidth = 80
    sci_mode = None


class _Formatter:
    """One format for all elements: the same width, and the same notation."""

    def __init__(self, values, floating):
        self.floating = floating
        self.width = 1
        if not floating:
            self.width = max((len(str(v)) for v in values), default=1)
            return
        self.whole, self.scientific = True, False
        finite = [v for v in values if math.isfinite(v) and v != 0]
        if not finite:
            return
        largest, smallest = max(map(abs, finite)), min(map(abs, finite))
        self.whole = all(v == math.ceil(v) for v in finite)
        self.scientific = Options.sci_mode
        if self.scientific is None:
            self.scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
        self.width = max(len(self._text(v)) for v in finite)

    def _text(self, value):
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{Options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{Options.precision}f}"

    def __call__(self, value):
        return self._text(value).rjust(self.width)


class _Complex:
    """The formats of the real and of the imaginary parts."""

    def __init__(self, values):
        self.real = _Formatter([v.real for v in values], True)
        self.imag = _Formatter([v.imag for v in values], True)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value):
        imag = self.imag(value.imag).lstrip()
        return self.real(value.real) + ("" if imag[0] in "+-" else "+") + imag + "j"


def _edges(tensor):
    """The elements that a summary shows, in a tensor of their own."""
    from ._tensor import operator

    for axis, size in enumerate(tensor.shape):
        if size > 2 * Options.edgeitems:
            head = tensor.narrow(axis, 0, Options.edgeitems)
            tail = tensor.narrow(axis, size - Options.edgeitems, Options.edgeitems)
            tensor = operator("cat", "t")((head, tail), axis)
    return tensor


def _leaves(data, depth):
    for _ in range(depth - 1):
        data = [e for part in data for e in part]
    return data if depth else [data]


def text(tensor):
    """What repr() gives."""
    kind = type(tensor).__name__
    prefix = "tensor(" if kind in ("Tensor", "Parameter", "Buffer") else kind + "("
    dtype, shape = tensor.dtype, tuple(tensor.shape)
    default = _dtypes.default
    implied = dtype is default
    suffixes = []
    if tensor.is_meta:
        suffixes += ["device='meta'", f"size={shape}"]
        body = "..."
    elif tensor.numel() == 0:
        if len(shape) != 1:
            suffixes.append(f"size={shape}")
        body = "[]"
    else:
        implied = implied or dtype in (
            _dtypes.int64,
            _dtypes.bool,
            _dtypes.complex128 if default is _dtypes.float64 else _dtypes.complex64,
        )
        body = _body(tensor.detach(), dtype, shape, len(prefix))
    if not implied:
        suffixes.append(f"dtype={dtype!r}")
    node = tensor._jloss.gradFn()
    if node is not None:
        suffixes.append(f"grad_fn=<{node}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + body, suffixes, len(prefix))


def _body(tensor, dtype, shape, indent):
    summarize = tensor.numel() > Options.threshold
    data = (_edges(tensor) if summarize else tensor).tolist()
    leaves = _leaves(data, len(shape))
    form = _Complex(leaves) if dtype.is_complex else _Formatter(leaves, dtype.is_floating_point)
    return _shown(data, shape, indent, summarize, form)


def _shown(data, shape, indent, summarize, form):
    if not shape:
        return form(data)
    edge = Options.edgeitems
    cut = summarize and shape[0] > 2 * edge
    if len(shape) == 1:
        line = max(1, (Options.linewidth - indent) // (form.width + 2))
        items = [form(v) for v in data]
        if cut:
            items.insert(edge, " ...")
        lines = [", ".join(items[i : i + line]) for i in range(0, len(items), line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    items = [_shown(part, shape[1:], indent + 1, summarize, form) for part in data]
    if cut:
        items.insert(edge, "...")
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(items) + "]"


def _with_suffixes(text, suffixes, indent):
    parts = [text]
    last = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > Options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            last = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            last += len(suffix) + 2
    return "".join(parts) + ")"


_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision=None, threshold=None, edgeitems=None, linewidth=None, profile=None, sci_mode=None
):
    """Sets how tensors print: digits, how many elements before a summary, its edges, the line."""
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in (_PROFILES[profile] if profile is not None else {}).items():
        setattr(Options, name, value)
    for name, value in given.items():
        if value is not None:
            setattr(Options, name, value)
    Options.sci_mode = sci_mode
