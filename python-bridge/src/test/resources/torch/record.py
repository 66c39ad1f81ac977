"""What the cases beside this file return, recorded in CPython with PyTorch 2.10.0.

    python record.py

writes expected.json, and checkpoint.pt for a case that reads a file of CPython's. The tests run the same cases in the JVM, and compare
with that file by `differences`.
"""

import importlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
MODULES = ("nn_cases", "distribution_cases", "optim_cases", "train_cases", "save_cases", "more_cases", "recipe_cases")

# Where cases write files.
folder = None


def plain(value):
    """A result as JSON has it; floats keep their dtype's precision by name."""
    if hasattr(value, "tolist"):
        dtype = str(value.dtype).removeprefix("torch.")
        return {"dtype": dtype, "shape": list(value.shape), "values": plain(value.detach().tolist())}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, float):
        finite = value == value and abs(value) != float("inf")
        return value if finite else {"float": str(value)}
    return value


# Of two implementations that round differently: relative, and absolute where sums cancel.
TOLERANCE = {"float32": (1e-5, 1e-6), "float64": (1e-9, 1e-10), "float16": (1e-3, 1e-3)}


def differences(expected, got, path="", tolerance=(1e-5, 1e-6)):
    """Where two results of `plain` differ, one line a place."""
    number = (int, float)
    if isinstance(expected, float) or isinstance(got, float):
        if isinstance(expected, number) and isinstance(got, number):
            relative, absolute = tolerance
            return [] if abs(expected - got) <= absolute + relative * abs(expected) else [f"{path}: {expected} / {got}"]
    if type(expected) is not type(got):
        return [f"{path}: {expected!r} / {got!r}"]
    if isinstance(expected, dict):
        if expected.keys() != got.keys():
            return [f"{path}: {sorted(expected)} / {sorted(got)}"]
        tolerance = TOLERANCE.get(expected.get("dtype"), tolerance)
        keys = list(expected)
    elif isinstance(expected, list):
        if len(expected) != len(got):
            return [f"{path}: {len(expected)} / {len(got)} elements"]
        keys = range(len(expected))
    else:
        return [] if expected == got else [f"{path}: {expected!r} / {got!r}"]
    return [line for k in keys for line in differences(expected[k], got[k], f"{path}[{k}]", tolerance)]


def check(module, name, expected):
    """What is wrong with a case; the empty text if nothing is."""
    return "\n".join(differences(expected[module][name], run(cases(module)[name]))[:10])


def run(case):
    return plain(case())


def cases(module):
    found = vars(importlib.import_module(module))
    return {name: function for name, function in found.items() if name.startswith("case_")}


def rounded(value):
    """As many digits as float32 has, which also keep float64 within its tolerance."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.11g}") if isinstance(value, float) else value


def record():
    import tempfile

    import torch

    torch.set_num_threads(1)
    torch.save(importlib.import_module("save_cases").checkpoint(), HERE / "checkpoint.pt")
    with tempfile.TemporaryDirectory() as files:
        # The cases see this module under its own name.
        importlib.import_module("record").folder = files
        results = {m: {name: rounded(run(case)) for name, case in cases(m).items()} for m in MODULES}
    # What was recorded and still holds stays: processors differ in the last digits.
    before = json.loads((HERE / "expected.json").read_text())
    for module, found in results.items():
        for name, old in before.get(module, {}).items():
            if name in found and not differences(old, json.loads(json.dumps(found[name]))):
                found[name] = old
    lines = []
    for module, found in results.items():
        rows = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v, allow_nan=False)}" for k, v in found.items())
        lines.append(f"  {json.dumps(module)}: {{\n{rows}\n  }}")
    text = ",\n".join(lines)
    (HERE / "expected.json").write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    record()
