"""Reference cases: what a model computed in PyTorch, in the form that jloss verifies.

Needs torch and safetensors alone; copy it next to your model. One file may hold many
cases; README.md describes the format.
"""
import json
import math

import torch
from safetensors.torch import save

FORMAT = 1


def save_case(path, id, parameters, inputs, value, *, name="case", oracle="", **more):
    """Writes one case: the row `id`, its parameters and input tensors by their catalogue
    names, and the value that came out. `more` as in `make_case`, above all `grad`."""
    save_cases(path, id, [make_case(name, parameters, inputs, value, **more)], oracle)


def save_cases(path, id, cases, oracle="", versions=None):
    """Writes the cases of one row, each made by `make_case`."""
    data = serialize(id, cases, oracle, versions)  # before an error could leave an empty file
    with open(path, "wb") as file:
        file.write(data)


def serialize(id, cases, oracle="", versions=None):
    """The bytes of such a file; the same cases give the same bytes."""
    tensors = {}
    for entry, parts in cases:
        key = f"{entry['name']}/{entry['dtype']}"
        if any(name.startswith(key + "/") for name in tensors):
            raise ValueError(f"{id}: two cases are called {key}")
        tensors.update({f"{key}/{part}": tensor for part, tensor in parts.items()})
    header = {"format": FORMAT, "id": id, "oracle": oracle,
              "versions": versions or {"torch": torch.__version__.split("+")[0]},
              "cases": [entry for entry, _ in cases]}
    return save(tensors, {"jloss": json.dumps(header, allow_nan=False)})


def make_case(name, parameters, inputs, value, *, dtype=None, grad=None, upstream=None,
              value64=None, grad64=None, direction=None, gradgrad=None, layout=None,
              tolerance=None, tags=None):
    """One case: its entry in the header and its tensors.

    inputs, grad, grad64, direction and gradgrad are tensors by argument name; a list of
    tensors is one argument too. value is a tensor, or outputs by name. upstream is the
    gradient of the value, where that is not all ones. dtype is that of the value or, where
    that is an integer, of the first floating input."""
    for part, gradients in (("grad", grad), ("grad64", grad64), ("gradgrad", gradgrad)):
        for argument, given in (gradients or {}).items():
            if any(g is None for g in (given if isinstance(given, (list, tuple)) else [given])):
                raise ValueError(f"{part} of {argument} is None: call retain_grad() on it before backward()")
    parts = {"upstream": upstream, "value64": value64}
    if isinstance(value, dict):
        parts.update(flatten({"output": value}))
    else:
        parts["value"] = value
    parts.update(flatten({"input": inputs, "grad": grad, "grad64": grad64,
                          "direction": direction, "gradgrad": gradgrad}))
    tensors = {part: _plain(part, tensor) for part, tensor in parts.items() if tensor is not None}
    if dtype is None:
        dtype = next(t.dtype for part in ("value", "output", "input")
                     for name_, t in tensors.items()
                     if name_.split("/")[0] == part and t.is_floating_point())
    entry = {"name": name, "dtype": str(dtype).removeprefix("torch."),
             "parameters": {key: _json(key, item) for key, item in parameters.items()}}
    if "/" in name or not name:
        raise ValueError(f"the name of a case is not empty and has no slash: {name!r}")
    for key, item in (("layout", layout), ("tolerance", tolerance), ("tags", tags)):
        if item:
            entry[key] = dict(item) if isinstance(item, dict) else list(item)
    return entry, tensors


def flatten(tree, prefix=""):
    """Nested dicts and lists of tensors as one dict with names like grad/input or input/z/0."""
    if tree is None:
        return {}
    if not isinstance(tree, (dict, list, tuple)):
        return {prefix: tree}
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {name: leaf for key, item in items
            for name, leaf in flatten(item, f"{prefix}/{key}" if prefix else str(key)).items()}


def _plain(part, tensor):
    """A contiguous copy without a graph, every NaN with the same bits."""
    if not isinstance(tensor, torch.Tensor):
        hint = ": pass the loss itself, not its item()" if part == "value" else ""
        raise TypeError(f"{part}: expected a tensor, got a {type(tensor).__name__}{hint}")
    tensor = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
    return tensor.masked_fill_(tensor.isnan(), math.nan) if tensor.is_floating_point() else tensor


def _json(name, value):
    """JSON has no infinity: it is written as the word that the catalogue uses."""
    if isinstance(value, torch.Tensor):
        raise TypeError(f"parameter {name}: expected numbers or texts, got a tensor: tensors are inputs")
    if isinstance(value, (list, tuple)):
        return [_json(name, item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
