"""What the case files share: random inputs, groups of cases, layouts, running an oracle.

An input is written as a draw, a function from a key to a float64 or int64 tensor. The key is
"<id>/<case>/<tensor>", so each tensor depends on its own name alone, and a new case changes no
other. The numbers come from splitmix64 run as a counter, in integers; no library's generator
and no library's log or cos takes part.
"""
import hashlib
from dataclasses import dataclass

import numpy as np
import torch

from jloss_case import flatten, make_case

SIZES = (1, 3, 15, 17, 31, 33, 63, 65, 127, 1000, 1025)  # around the widths of vectors
FLOATS = ("float32", "float64")
WORDS = ("transposed", "strided", "expanded")
WITH_BFLOAT16 = FLOATS + ("bfloat16",)
HALF_NOTE = " bfloat16: inputs cast to float32, value and gradients of that cast back."


# ------------------------------------------------------------------ random inputs

def _bits(key, count):
    """`count` random 64-bit words: splitmix64 from a start that the key gives."""
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z += np.uint64(start)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _count(shape):
    return int(np.prod(shape, dtype=np.int64))


def _tensor(array, shape):
    return torch.from_numpy(np.ascontiguousarray(array).reshape(shape).copy())


def uniform(*shape, low=0.0, high=1.0):
    """Uniform in [low, high)."""
    def draw(key):
        u = (_bits(key, _count(shape)) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return _tensor(low + (high - low) * u, shape)
    return draw


def normal(*shape, scale=1.0, shift=0.0):
    """Nearly normal: the sum of twelve uniforms, added as integers, hence exact."""
    def draw(key):
        words = (_bits(key, 12 * _count(shape)) >> np.uint64(15)).astype(np.int64)
        centred = words.reshape(-1, 12).sum(axis=1) - 6 * 2**49
        return _tensor(shift + scale * (centred.astype(np.float64) * 2.0**-49), shape)
    return draw


def integers(*shape, high):
    """int64, uniform in 0 .. high-1."""
    def draw(key):
        return _tensor((_bits(key, _count(shape)) % np.uint64(high)).astype(np.int64), shape)
    return draw


def binary(*shape):
    """0.0 or 1.0."""
    return lambda key: integers(*shape, high=2)(key).double()


def simplex(*shape, axis=1):
    """Positive and of sum 1 along `axis`."""
    def draw(key):
        parts = (_bits(key, _count(shape)) >> np.uint64(34)).astype(np.int64) + 2**20
        parts = parts.reshape(shape)
        return _tensor(parts / parts.sum(axis=axis, keepdims=True), shape)
    return draw


def log_simplex(*shape, axis=1):
    """Logarithms of a simplex, rounded to 2^-20: the same whatever log computed them."""
    def draw(key):
        return torch.round(simplex(*shape, axis=axis)(key).log() * 2.0**20) * 2.0**-20
    return draw


def one_hot(*shape, axis=1):
    """0.0 but for one 1.0 along `axis`."""
    def draw(key):
        rest = shape[:axis] + shape[axis + 1:]
        index = integers(*rest, high=shape[axis])(key)
        return torch.nn.functional.one_hot(index, shape[axis]).movedim(-1, axis).double()
    return draw


def fixed(values):
    """Given numbers: float64, or int64 where all are integers."""
    tensor = torch.as_tensor(values)
    return lambda key: tensor.double() if tensor.is_floating_point() else tensor.clone()


def full(*shape, value):
    """One number everywhere: float64, or int64 where it is an integer."""
    return fixed(torch.full(shape, value))


def signs(*shape):
    """Weights above, at and below 0."""
    return fixed(np.resize((-1.5, 0.0, 2.0, 0.5, -0.25), shape))


def put(draw, *changes):
    """`draw` with some elements set: pairs (index, value)."""
    def changed(key):
        tensor = draw(key).clone()
        for index, value in changes:
            tensor[index] = value
        return tensor
    return changed


# ------------------------------------------------------------------ cases

@dataclass
class Case:
    """One line of a table; see `case`."""
    name: str
    inputs: dict
    parameters: dict
    layout: dict
    upstream: object
    twice: bool
    tags: tuple
    tolerance: dict
    constant: tuple
    dtypes: tuple


def case(name, inputs, *, layout=None, upstream=None, twice=False, tags=(), tolerance=None,
         constant=(), dtypes=FLOATS, **parameters):
    """A case: tensors by name (draws or lists of draws), then the row's parameters.

    layout: tensor name to a word of LAYOUTS. upstream: a number for every element of the
    gradient of the value, or "random". twice: double backward too. constant: inputs without a
    gradient here. dtypes: one case each."""
    return Case(name, inputs, parameters, layout or {}, upstream, twice, tags, tolerance, constant,
                dtypes)


def sizes(draws, name="mean", steps=SIZES, dtypes=FLOATS, **parameters):
    """The lengths of the axis that matters. draws(n) gives the inputs."""
    return [case(f"{name}-{n}", draws(n), dtypes=dtypes, tags=["odd-size"] if n % 2 else (),
                 **parameters) for n in steps]


def reductions(inputs, names=("none", "mean", "sum"), prefix="", dtypes=FLOATS, twice=False,
               brief=False, **options):
    """Each reduction, under a gradient of ones (unless brief) and under another one; with
    `twice` the latter has double backward too, in float32 and float64."""
    cases = []
    for name in names:
        other = {"upstream": "random" if name == "none" else -2.5, "reduction": name, **options}
        if not brief:
            cases.append(case(prefix + name, inputs, dtypes=dtypes, reduction=name, **options))
        if twice:
            cases.append(case(f"{prefix}{name}-twice", inputs, twice=True, **other))
        if not twice or dtypes != FLOATS:
            left = tuple(dtype for dtype in dtypes if not twice or dtype not in FLOATS)
            cases.append(case(f"{prefix}{name}-upstream", inputs, dtypes=left, **other))
    return cases


def layouts(inputs, names, words=WORDS, prefix="layout-", dtypes=FLOATS, **parameters):
    """Each word as the layout of the tensors `names`."""
    return [case(prefix + word, inputs, dtypes=dtypes, layout=dict.fromkeys(names, word),
                 **parameters) for word in words]


def empties(inputs, names=("none", "mean", "sum"), prefix="empty-", **parameters):
    """The reductions of nothing."""
    return [case(f"{prefix}{name}", inputs, tags=["empty"], reduction=name, **parameters)
            for name in names]


def elementwise(draws, names=("input", "target"), modes=("none", "mean", "sum"), dtypes=FLOATS,
                **parameters):
    """What every loss of elements gets. draws(*shape) gives its inputs of that shape."""
    return [*sizes(draws, dtypes=dtypes, **parameters),
            case("scalar", draws(), **parameters),
            *reductions(draws(7, 9), modes, dtypes=dtypes, twice=True, **parameters),
            *layouts(draws(6, 19), names[:1], **parameters),
            *layouts(draws(6, 19), names, prefix="layout-all-", **parameters),
            *layouts(draws(3, 70), names, ["sliced"], **parameters),
            *layouts(draws(3, 5, 4, 7), names[:1], ["channels_last"], **parameters),
            *layouts(draws(3, 5, 4, 7), names, ["channels_last"], "layout-all-", **parameters),
            *empties(draws(0), modes, **parameters),
            case("empty-rows", draws(0, 5), tags=["empty"], **parameters)]


def regions(draws, names=("input", "target"), dtypes=FLOATS, **parameters):
    """What every loss of overlapping regions gets. draws(n, c, *space) gives its inputs."""
    halves = tuple(dtype for dtype in dtypes if dtype not in FLOATS)
    return [*sizes(lambda n: draws(2, 2, n) if n < 500 else draws(1, 1, n), "inner", **parameters),
            case("inner-65-half", draws(2, 2, 65), dtypes=halves, **parameters),
            *sizes(lambda c: draws(2, c, 5), "classes", (1, 3, 17, 33), **parameters),
            case("rows", draws(4, 3), **parameters),
            case("volume", draws(2, 3, 2, 3, 4), **parameters),
            *reductions(draws(3, 4, 5), dtypes=dtypes, twice=True, **parameters),
            *layouts(draws(3, 2, 19), names[:1], **parameters),
            *layouts(draws(3, 2, 19), names, prefix="layout-all-", **parameters),
            *layouts(draws(2, 1, 3), names, ["sliced"], dtypes=("float32",), **parameters),
            *layouts(draws(2, 3, 2, 5), names[:1], ["channels_last"], **parameters),
            *layouts(draws(2, 3, 2, 5), names, ["channels_last"], "layout-all-", **parameters),
            *empties(draws(0, 3, 5), **parameters)]


def embeddings(draws, names, large=(130, 64), **parameters):
    """What every loss of embeddings gets. draws(n, d) gives its inputs."""
    return [*sizes(lambda d: draws(2, d), "dim", SIZES[:-2], **parameters),
            *sizes(lambda n: draws(n, 3), "batch", SIZES[:-3], **parameters),
            case("large", draws(*large), dtypes=("float32",), **parameters),
            case("one-element", draws(1, 1), **parameters),
            *reductions(draws(7, 5), twice=True, **parameters),
            *layouts(draws(3, 19), names[:1], **parameters),
            *layouts(draws(3, 19), names, prefix="layout-all-", **parameters),
            *layouts(draws(2, 9), names, ["sliced"], **parameters),
            *empties(draws(0, 5), **parameters)]


# ------------------------------------------------------------------ layouts

def _transposed(x):
    return x.transpose(-1, -2).contiguous().transpose(-1, -2)


def _twice_as_long(x):
    return torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)


def _strided(x):
    return _twice_as_long(x)[..., ::2].copy_(x)


def _sliced(x):
    return _twice_as_long(x)[..., :x.shape[-1]].copy_(x)


LAYOUTS = {"channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
           "transposed": _transposed,
           "strided": _strided,
           "sliced": _sliced,
           "expanded": lambda x: x[:1].expand_as(x)}


def lay_out(tensors, layout):
    """The tensors with the strides that `layout` names."""
    return {name: LAYOUTS[layout[name]](t) if name in layout else t
            for name, t in tensors.items()}


# ------------------------------------------------------------------ running an oracle

def build(module, id):
    """The cases of a case file, run: pairs as jloss_case.make_case gives them."""
    built = []
    for case in module.CASES:
        for dtype in case.dtypes:
            try:
                built.append(_run(module, id, case, getattr(torch, dtype)))
            except Exception as error:
                error.add_note(f"in the case {id} {case.name}/{dtype}")
                raise
    return built


def realize(case, id, dtype):
    """The input tensors of a case, flat by name."""
    tensors = {name: _rounded(draw(f"{id}/{case.name}/{name}"), dtype)
               for name, draw in flatten(case.inputs).items()}
    return lay_out(tensors, case.layout)


def _run(module, id, case, dtype):
    """The oracle in the dtype of the case (halves: in float32), and again in float64."""
    inputs = realize(case, id, dtype)
    work = torch.promote_types(dtype, torch.float32)
    parts = _call(module, module.oracle, f"{id}/{case.name}", case, inputs, dtype, work)
    if dtype != torch.float64 and "grad" in parts:
        truth = _call(module, getattr(module, "truth", module.oracle), f"{id}/{case.name}", case,
                      inputs, dtype, torch.float64)
        parts.update(value64=truth["value"], grad64=truth["grad"])
    return make_case(case.name, case.parameters, inputs, dtype=dtype, layout=case.layout,
                     tolerance=case.tolerance, tags=case.tags, **parts)


def _call(module, oracle, key, case, inputs, dtype, work):
    """What `oracle` makes of the inputs in the dtype `work`, as arguments of make_case;
    results that computed in float32 for a half type are rounded to it."""
    tensors = lay_out({name: _rounded(t, work) for name, t in inputs.items()}, case.layout)
    leaves = {name: t.detach().requires_grad_() for name, t in tensors.items()
              if name.split("/")[0] in set(module.DIFFERENTIABLE) - set(case.constant)
              and t.is_floating_point()}
    value = oracle(**_nested({**tensors, **leaves}), **case.parameters)
    if isinstance(value, dict):
        return {"value": value}

    def draw(like, part):
        return normal(*like.shape)(f"{key}/{part}").to(dtype).to(work)
    result = {}
    if case.upstream is not None:
        result["upstream"] = draw(value, "upstream") if case.upstream == "random" \
            else torch.full_like(value, case.upstream)
    grad = _gradients(value, leaves, result.get("upstream"), case.twice)
    result.update(value=value, grad=grad)
    if case.twice:
        result["direction"] = {name: draw(g, f"direction/{name}") for name, g in grad.items()}
        along = sum((g * result["direction"][name]).sum() for name, g in grad.items())
        result["gradgrad"] = _gradients(along, leaves)
    if work == torch.float32:
        result = _each(result, lambda tensor: tensor.to(dtype))
    return result


def _gradients(value, leaves, upstream=None, create_graph=False):
    """The gradient of sum(upstream * value) for each leaf, 0 where it does not depend on it."""
    if not leaves:
        return {}
    upstream = torch.ones_like(value) if upstream is None else upstream
    grads = torch.autograd.grad(value, list(leaves.values()), upstream.detach(), allow_unused=True,
                                create_graph=create_graph)
    return {name: torch.zeros_like(leaf) if grad is None else grad
            for (name, leaf), grad in zip(leaves.items(), grads)}


def _rounded(tensor, dtype):
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _each(tree, change):
    if isinstance(tree, dict):
        return {name: _each(item, change) for name, item in tree.items()}
    return change(tree)


def _nested(tensors):
    """Flat names back to arguments: z/0, z/1 become the list z."""
    arguments = {}
    for name, tensor in tensors.items():
        argument, _, index = name.partition("/")
        if index:
            arguments.setdefault(argument, []).append(tensor)
        else:
            arguments[argument] = tensor
    return arguments


def run(oracle, case, dtype=torch.float64, id="crosscheck"):
    """The value of `oracle` on the inputs of a case: for the cross-checks with a peer."""
    return oracle(**_nested(realize(case, id, dtype)), **case.parameters)


def same(actual, expected, what="", tolerance=1e-9):
    """Fails unless a peer agrees; both are float64 in a cross-check."""
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance, equal_nan=True,
                               msg=lambda text: f"{what}: {text}")
