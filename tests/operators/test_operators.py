"""The operators of libjloss in CPython, on the reference cases: PyTorch's own gradcheck,
gradgradcheck and opcheck, and the expected values."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

DATA = Path(__file__).parent.parent / "reference" / "data"

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
        self.tensors = {k[6:]: v for k, v in tensors.items() if k.startswith("input/")}
        self.names = [k[5:] for k in tensors if k.startswith("grad/")]
        if "ignore_index" in case["parameters"]:
            # A target next to the ignored value is not ignored: the loss jumps there.
            self.names = [n for n in self.names if n != "target"]
        self.expected = tensors["value"]
        self.variables = [self.tensors[n].clone().requires_grad_() for n in self.names]

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
