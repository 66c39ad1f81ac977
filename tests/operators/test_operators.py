"""The operators of libjloss in CPython, on the reference cases: PyTorch's own gradcheck,
gradgradcheck and opcheck, and the expected values."""

import concurrent.futures
import itertools
import json
import math
import sys
from pathlib import Path
from random import Random

import pytest
import torch
from safetensors import safe_open

REFERENCE = Path(__file__).parent.parent / "reference"
DATA = REFERENCE / "data"
sys.path.append(str(REFERENCE))

from harness import lay_out  # noqa: E402

# The codes of enumerated parameters, in the operators' order.
CODES = {
    "reduction": ["none", "mean", "sum", "batchmean"],
    "alpha_mode": ["balanced", "scalar"],
    "mode": ["binary", "multilabel", "multiclass"],
    "dims": ["per_sample", "batch"],
    "average": ["micro", "macro", "none"],
    "weight_mode": ["plain", "normalized"],
    "absent": ["count", "zero", "skip"],
    "w_type": ["square", "simple", "uniform"],
    "distance": ["euclidean", "squared_euclidean", "cosine", "dot", "snr"],
    "form": ["regression", "classification", "plain", "softplus"],
}
LISTS = {"tau", "form"}
# Derivatives are compared where they exist.
UNEVEN = {"extreme", "nonfinite", "kink", "tie", "empty", "ignored"}


def cases():
    for path in sorted(DATA.glob("*.safetensors")):
        if path.stem in ("batch_hard_miner", "negative_queue"):
            continue
        with safe_open(path, "pt") as f:
            header = json.loads(f.metadata()["jloss"])
            smooth = [
                c
                for c in header["cases"]
                if c["dtype"] == "float64"
                and not UNEVEN & set(c.get("tags", []))
                and size(f, c) <= 60
                and largest(f, c) < 1e3  # beyond it a step is lost in the digits of the value
            ]
            # Some of each loss, spread over its options.
            for c in smooth[:: max(1, len(smooth) // 12)]:
                yield pytest.param(path, c, id=f"{path.stem}-{c['name']}")


def size(f, case):
    prefix = f"{case['name']}/{case['dtype']}/grad/"
    total = 0
    for key in f.keys():
        if key.startswith(prefix):
            total += torch.Size(f.get_slice(key).get_shape()).numel()
    return total if total else 10**9


def largest(f, case):
    prefix = f"{case['name']}/{case['dtype']}/input/"
    return max((f.get_tensor(k).double().abs().max().item() for k in f.keys() if k.startswith(prefix)), default=0)


def code(name, value):
    if name in LISTS:
        values = value if isinstance(value, list) else [value]
        return [code_of(name, v) for v in values]
    return code_of(name, value)


def code_of(name, value):
    if value == "inf":
        return float("inf")
    return CODES[name].index(value) if isinstance(value, str) else value


class Call:
    """A reference case as a function of its differentiable inputs."""

    def __init__(self, path, case):
        self.op = getattr(torch.ops.jloss, path.stem)
        schema = self.op.default._schema
        known = {a.name for a in schema.arguments}
        self.kwargs = {k: code(k, v) for k, v in case["parameters"].items() if k in known and v is not None}
        prefix = f"{case['name']}/{case['dtype']}/"
        with safe_open(path, "pt") as f:
            keys = [k for k in f.keys() if k.startswith(prefix)]
            tensors = {k[len(prefix) :]: f.get_tensor(k) for k in keys}
        inputs = {k[6:]: v for k, v in tensors.items() if k.startswith("input/")}
        self.tensors = lay_out(inputs, case.get("layout", {}))
        self.names = [k[5:] for k in tensors if k.startswith("grad/")]
        if {"ignore_index", "absent"} & set(case["parameters"]):
            # Next to the ignored value a target is not ignored, next to 0 a class is not absent.
            self.names = [n for n in self.names if n != "target"]
        self.expected = tensors["value"]
        # gradcheck steps one element at a time, so none may stand for several.
        separate = (t.clone() if 0 in t.stride() else t.detach() for t in map(self.tensors.get, self.names))
        self.variables = [t.requires_grad_() for t in separate]

    def arguments(self, *variables):
        tensors = dict(self.tensors, **dict(zip(self.names, variables)))
        return dict(self.kwargs, **tensors)

    def __call__(self, *variables):
        return self.op(**self.arguments(*variables))


@pytest.mark.parametrize("path, case", cases())
def test_value(path, case):
    call = Call(path, case)
    torch.testing.assert_close(call(*call.variables).detach(), call.expected)


@pytest.mark.parametrize("path, case", cases())
def test_gradcheck(path, case):
    call = Call(path, case)
    assert torch.autograd.gradcheck(call, call.variables)


@pytest.mark.parametrize("path, case", cases())
def test_gradgradcheck(path, case):
    call = Call(path, case)
    assert torch.autograd.gradgradcheck(call, call.variables)


@pytest.mark.parametrize("path, case", cases())
def test_opcheck(path, case):
    call = Call(path, case)
    torch.library.opcheck(call.op.default, (), call.arguments(*call.variables))


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1e4, -1e4, 1e30, math.inf, -math.inf, math.nan]


def special_calls():
    jloss = torch.ops.jloss
    x, t = (torch.tensor(v) for v in zip(*itertools.product(SPECIAL, SPECIAL)))
    yield "mse", jloss.mse_loss, x, (t, None, 0)
    yield "huber", jloss.huber_loss, x, (t, None, 0, 1.0)
    yield "quantile", jloss.quantile_loss, x, (t, [0.3], 0)
    yield "kl_div", jloss.kl_div_loss, x, (t, False, 0)
    yield "kl_div-log", jloss.kl_div_loss, x, (t, True, 0)
    x, t = (torch.tensor(v) for v in zip(*itertools.product(SPECIAL, [0.0, 1.0, 0.5])))
    for gamma, pos_weight in itertools.product((0.0, 0.5, 1.0, 2.0, 2.5), (None, torch.tensor(2.0))):
        yield "bce", jloss.bce_with_logits_loss, x, (t, None, pos_weight, 0)
        yield "sigmoid_focal", jloss.sigmoid_focal_loss, x, (t, None, pos_weight, 0.25, gamma, 0, 0)
    x = torch.tensor(list(itertools.product(SPECIAL, SPECIAL, [0.0, 2.0])))
    for gamma, smoothing in itertools.product((0.0, 0.5, 1.0, 2.0, 2.5), (0.0, 0.1)):
        y = torch.arange(len(x)) % 3
        yield "cross_entropy", jloss.cross_entropy_loss, x, (y, None, -100, smoothing, 0)
        yield "focal", jloss.focal_loss, x, (y, None, gamma, -100, smoothing, 0)


def test_kernel_and_formula_have_the_same_gradient_at_special_values():
    for name, loss, x, rest in special_calls():

        def gradient(create_graph):
            leaf = x.clone().requires_grad_()
            value = loss(leaf, *rest)
            (found,) = torch.autograd.grad(value, leaf, torch.ones_like(value), create_graph=create_graph)
            return found.detach(), value.detach()

        (kernel, value), (formula, _) = gradient(False), gradient(True)
        if "focal" in name or name == "cross_entropy":  # where they are infinite or NaN the two differ
            rows = value.isfinite()
            # but not so that a loss of NaN hides behind a gradient of 0
            assert not (kernel[value.isnan()] == 0).all(-1).any(), f"{name} with {rest[1:]}"
            kernel, formula = kernel[rows], formula[rows]
        torch.testing.assert_close(
            kernel, formula, equal_nan=True, msg=lambda text: f"{name} with {rest[1:]}: {text}"
        )


def row_losses():
    jloss = torch.ops.jloss
    for p, swap in itertools.product((1.0, 1.5, 2.0, 3.0, 4.0, math.inf), (False, True)):
        yield f"triplet-{p}-{swap}", 3, lambda *x, o=(p, 1e-6, swap, 0, 0): jloss.triplet_margin_loss(*x, 1.0, *o)
    for distance in (1, 2, 3, 4):
        yield f"triplet-distance-{distance}", 3, lambda *x, d=distance: jloss.triplet_margin_loss(
            *x, 1.0, 2.0, 1e-6, True, d, 0
        )
    for p in (1.0, 1.5, 2.0, 3.0, 4.0, math.inf):
        yield f"contrastive-{p}", 2, lambda *x, p=p: jloss.contrastive_loss(
            *x, (torch.arange(len(x[0])) % 2).to(x[0]), 2.0, p, 1e-6, 1, 0.5, 0
        )


@pytest.mark.parametrize("loss, count", [pytest.param(f, n, id=name) for name, n, f in row_losses()])
@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_of_any_length(loss, count, layout, dtype):
    """Kernel against formula, about the lengths at which the kernel goes another way."""
    for dim, rows in itertools.chain(((d, 37) for d in range(1, 36)), ((5, r) for r in (1, 32, 64))):
        torch.manual_seed(dim)
        shape = (rows, dim) if layout == "rows" else (dim, rows)
        inputs = [torch.randn(shape, dtype=dtype) * dim**-0.5 for _ in range(count)]
        inputs = [(x if layout == "rows" else x.t()).requires_grad_() for x in inputs]
        value = loss(*inputs)
        upstream = torch.randn_like(value)
        kernel = torch.autograd.grad(value, inputs, upstream)
        formula = torch.autograd.grad(loss(*inputs), inputs, upstream, create_graph=True)
        with torch.no_grad():  # a negated view has no memory for a kernel to read
            expected = loss(*(torch._neg_view(-x) for x in inputs))
        tight = {} if dtype == torch.float64 else {"rtol": 2e-5, "atol": 2e-5}
        for found, wanted in zip((value, *kernel), (expected, *formula)):
            torch.testing.assert_close(
                found, wanted, equal_nan=True, msg=lambda text: f"rows of {dim}: {text}", **tight
            )


def element_losses():
    jloss = torch.ops.jloss
    yield "mse", lambda x, t, w, _: jloss.mse_loss(x, t, w, 0)
    yield "huber", lambda x, t, w, _: jloss.huber_loss(x, t, w, 0, 0.7)
    yield "quantile", lambda x, t, w, _: jloss.quantile_loss(x, t, [0.3], 0)
    yield "kl_div", lambda x, t, w, _: jloss.kl_div_loss(x, t, False, 0)
    yield "bce", lambda x, t, w, c: jloss.bce_with_logits_loss(x, t, w, c, 0)
    yield "sigmoid_focal", lambda x, t, w, c: jloss.sigmoid_focal_loss(x, t, w, c, 0.25, 2.0, 0, 0)


@pytest.mark.parametrize("loss", [pytest.param(f, id=name) for name, f in element_losses()])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_types_are_computed_in_float_and_rounded_once(loss, dtype):
    torch.manual_seed(0)
    for shape in ((), (3,), (33,), (2048,), (37, 113), (5, 4099)):
        x, t = torch.randn(shape).to(dtype), torch.rand(shape).to(dtype)
        w, c = torch.rand(shape).to(dtype), torch.rand(shape[-1:]).to(dtype)
        for turn in (False, True) if len(shape) > 1 else (False,):
            leaves = [(v.t().contiguous().t() if turn else v).requires_grad_() for v in (x.clone(), t.clone())]
            value = loss(*leaves, w, c)
            upstream = torch.randn(shape).to(dtype)
            found = torch.autograd.grad(value, leaves, upstream, retain_graph=True)
            twice = torch.autograd.grad(value, leaves, upstream, create_graph=True)
            floats = [v.detach().float().requires_grad_() for v in leaves]
            wanted = loss(*floats, w.float(), c.float())
            made = torch.autograd.grad(wanted, floats, upstream.float())
            assert value.dtype == dtype and value.stride() == wanted.stride()
            for half, full, formula in zip((value, *found), (wanted, *made), (value, *twice)):
                assert torch.equal(half, full.to(dtype)), (shape, turn)
                torch.testing.assert_close(formula, full.to(dtype))


def laid_out_anyhow(x, random):
    """x with other strides: axes in any order in memory, apart, repeated where they are equal."""
    order = random.sample(range(x.dim()), x.dim())
    step, gap = random.choice((1, 1, 2)), random.choice((0, 0, 1, 3))
    sizes = [x.shape[d] for d in order]
    storage = torch.full([*sizes[:-1], sizes[-1] * step + gap] if sizes else [], math.nan, dtype=x.dtype)
    view = storage[..., : sizes[-1] * step : step] if sizes else storage
    return view.permute([order.index(d) for d in range(x.dim())]).copy_(x)


def strided_calls():
    jloss = torch.ops.jloss
    yield "mse", lambda x, t, w: jloss.mse_loss(x, t, w, 0), ["*", "*", "*"]
    yield "quantile", lambda x, t, w: jloss.quantile_loss(x, t, [0.3], 0), ["*", "*", "*"]
    yield "kl_div", lambda x, t, w: jloss.kl_div_loss(x, t, False, 0), ["*", "*", "*"]
    yield "bce", lambda x, t, w, p: jloss.bce_with_logits_loss(x, t, w, p, 0), ["*", "*", "+", "+"]
    yield "sigmoid_focal", lambda x, t, w, p: jloss.sigmoid_focal_loss(x, t, w, p), ["*", "*", "+", "+"]
    yield "cross_entropy", lambda x, q: jloss.cross_entropy_loss(x, q, reduction=0), ["*", "*"]
    yield "dice", lambda x, t: jloss.dice_loss(x, t, reduction=0), ["*", "*"]
    yield "contrastive", lambda x, y: jloss.contrastive_loss(x, y, (torch.arange(len(x)) % 2).to(x)), ["2", "2"]
    yield "triplet", lambda x, y, z: jloss.triplet_margin_loss(x, y, z, reduction=0), ["*", "*", "*"]
    yield "info_nce", lambda x, y, z: jloss.info_nce_loss(x, y, z, normalize=True), ["2", "2", "2"]


@pytest.mark.parametrize("name, loss, shapes", strided_calls(), ids=lambda v: v if isinstance(v, str) else "")
def test_any_strides(name, loss, shapes):
    random = Random(name)
    for seed in range(40):
        torch.manual_seed(seed)
        axes = 2 if "2" in shapes else random.randint(2, 4)
        shape = [random.choice((1, 2, 3, 5, 17, 66)) for _ in range(axes)]
        plain = []
        for kind in shapes:
            ones = [n if kind != "+" or random.random() < 0.6 else 1 for n in shape]
            plain.append(torch.rand(ones, dtype=torch.float64))
        strided = [laid_out_anyhow(x, random).requires_grad_() for x in plain]
        plain = [x.requires_grad_() for x in plain]
        results = []
        upstream = None
        for inputs in (plain, strided):
            value = loss(*inputs)
            if upstream is None:
                upstream = torch.randn_like(value)
            else:
                upstream = laid_out_anyhow(upstream, random)
            results.append([value, *torch.autograd.grad(value, inputs, upstream, allow_unused=True)])
        torch.testing.assert_close(*results, msg=lambda text: f"{name} of {shape}, seed {seed}: {text}")


def gradient_of_upstream(upstream):
    x = torch.linspace(-1, 2, 7, requires_grad=True)
    target = torch.linspace(3, 0, 7)
    (found,) = torch.autograd.grad(torch.ops.jloss.mse_loss(x, target, None, 0), x, upstream)
    return found, 2 * (x - target).detach() * upstream


@pytest.mark.parametrize(
    "upstream",
    [torch.ones(7), torch._neg_view(torch.ones(7)), torch._efficientzerotensor(7), torch.ones(1).expand(7)],
    ids=["plain", "negated", "zero", "expanded"],
)
def test_upstream_gradients_that_are_views_of_nothing_plain(upstream):
    torch.testing.assert_close(*gradient_of_upstream(upstream))


@pytest.mark.parametrize("path, case", [p for p in cases() if p.values[1]["parameters"].get("reduction") == "none"])
def test_one_number_as_the_upstream_gradient_of_all(path, case):
    call = Call(path, case)
    value = call(*call.variables)
    one = torch.tensor(0.7, dtype=value.dtype)
    expanded, dense = (
        torch.autograd.grad(value, call.variables, upstream, retain_graph=True)
        for upstream in (one.expand_as(value), one.repeat(value.shape))
    )
    assert all(map(torch.equal, expanded, dense))


@pytest.mark.parametrize("reduction", [0, 1])
def test_batched_upstream_gradients(reduction):
    x, target = torch.linspace(-1, 2, 7), torch.linspace(3, 0, 7)

    def loss(x):
        return torch.ops.jloss.mse_loss(x, target, None, reduction)

    torch.testing.assert_close(
        torch.autograd.functional.jacobian(loss, x, vectorize=True),
        torch.autograd.functional.jacobian(loss, x),
    )


def test_forward_mode():
    x, target = torch.linspace(-1, 2, 7), torch.linspace(3, 0, 7)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones(7))
        tangent = torch.autograd.forward_ad.unpack_dual(torch.ops.jloss.mse_loss(dual, target, None, 2)).tangent
    torch.testing.assert_close(tangent, (2 * (x - target)).sum())


def test_threads_that_share_a_graph_get_a_gradient_or_an_error():
    target = torch.zeros(30000)

    def gradient(value, x):
        try:
            return torch.autograd.grad(value, x, allow_unused=True)[0]
        except RuntimeError as error:
            return str(error)

    for _ in range(500):
        x = torch.ones(30000, requires_grad=True)
        value = torch.ops.jloss.mse_loss(x, target, None, 1)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = [f.result() for f in [pool.submit(gradient, value, x) for _ in range(2)]]
        for one in found:
            assert "second time" in one if isinstance(one, str) else one is not None


def test_autocast_changes_neither_kernel_nor_formula():
    x, y = torch.randn(8, 4), torch.randn(8, 4)
    plain = torch.ops.jloss.info_nce_loss(x, y)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(torch.ops.jloss.info_nce_loss(x, y), plain)
        torch.testing.assert_close(torch.ops.jloss.info_nce_loss(torch._neg_view(x.neg()), y), plain)
        leaf = x.clone().requires_grad_()
        value = torch.ops.jloss.info_nce_loss(leaf, y)
        (kernel,) = torch.autograd.grad(value, leaf, retain_graph=True)
        (formula,) = torch.autograd.grad(value, leaf, create_graph=True)
        torch.testing.assert_close(kernel, formula.detach())


@pytest.mark.parametrize("transposed", [False, True])
def test_a_queue_may_be_a_part_of_another_tensor(transposed):
    whole = torch.zeros(8, 8)
    queue = (whole.t() if transposed else whole)[1:7:2, 2:6]
    torch.ops.jloss.negative_queue(torch.ones(2, 4), queue, torch.tensor(2))
    assert queue.sum(1).tolist() == [4, 0, 4] and whole.sum() == 8


@pytest.mark.parametrize("dim", [0, 1])
def test_a_signal_to_noise_ratio_of_fewer_than_two_elements_mines_nothing(dim):
    found = torch.ops.jloss.batch_hard_miner(torch.randn(4, dim), torch.tensor([0, 0, 1, 1]), distance=4)
    assert [len(indices) for indices in found] == [0, 0, 0]


def test_a_queue_over_itself_is_refused():
    queue = torch.zeros(18).as_strided((8, 4), (2, 1))
    with pytest.raises(ValueError, match="negative_queue: expected queue with its elements apart"):
        torch.ops.jloss.negative_queue(torch.ones(2, 4), queue, torch.tensor(0))
