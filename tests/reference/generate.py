"""Writes or checks the reference files: python generate.py [id ...] [--check]

A row is cases/<id>.py, its output data/<id>.safetensors. README.md describes both.
"""
import argparse
import importlib
import json
import os
import sys
import warnings
from pathlib import Path

# Before torch is imported: one instruction set and one thread, the same on every machine.
os.environ.update(ATEN_CPU_CAPABILITY="avx2", MKL_CBWR="COMPATIBLE", OMP_NUM_THREADS="1",
                  MKL_NUM_THREADS="1")

import torch  # noqa: E402
from safetensors.torch import load  # noqa: E402

import harness  # noqa: E402
from jloss_case import serialize  # noqa: E402

HERE = Path(__file__).resolve().parent
LIMIT = 900_000  # bytes a file
CLOSE = 4        # ULP that a regenerated number may differ by
CLOSE64 = 1024   # ULP of float64, for what tells the error of float32: 2^-19 of one of float32's


def generate(id):
    """The bytes of data/<id>.safetensors, after the row's own cross-checks."""
    module = importlib.import_module(f"cases.{id}")
    if hasattr(module, "crosscheck"):
        module.crosscheck()
    versions = {name: importlib.import_module(name).__version__.split("+")[0]
                for name in ("torch", *getattr(module, "PEERS", ()))}
    data = serialize(id, harness.build(module, id), module.ORACLE, versions)
    if len(data) > LIMIT:
        raise ValueError(f"{id}: {len(data)} bytes, the limit is {LIMIT}")
    return data


def header(data):
    """What the file says of its cases."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8:8 + size])["__metadata__"]["jloss"])


def distance(a, b):
    """The largest difference of two tensors in units in the last place; None where dtype,
    shape or an integer differs, or a NaN stands against a number."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return None
    if not a.is_floating_point():
        return 0 if torch.equal(a, b) else None
    if not torch.equal(a.isnan(), b.isnan()):
        return None
    a, b = (_ordered(torch.where(t.isnan(), 0.0, t)) for t in (a, b))
    return max((abs(x - y) for x, y in zip(a, b)), default=0)


def _ordered(tensor):
    """Floating numbers as integers that count the representable numbers from 0."""
    bits = 8 * tensor.element_size()
    words = tensor.flatten().view(getattr(torch, f"int{bits}")).tolist()
    return [w if w >= 0 else -(w + 2**(bits - 1)) for w in words]


def compare(old, new):
    """(same enough?, what to say of it)"""
    if old == new:
        return True, "same bytes"
    if header(old) != header(new):
        return False, "DIFFERENT header: the cases, the oracle or a version"
    old, new = load(old), load(new)
    if old.keys() != new.keys():
        return False, f"DIFFERENT tensors: {sorted(old.keys() ^ new.keys())[:5]}"
    worst, where = 0, ""
    for name in sorted(old):
        ulp = distance(old[name], new[name])
        kind = name.split("/")[2]  # value, grad, value64, grad64, ...
        if ulp is None or ulp > (CLOSE64 if kind.endswith("64") else CLOSE):
            return False, f"DIFFERENT {name}: {'no match' if ulp is None else f'{ulp} ULP'}"
        worst, where = max((worst, where), (ulp, name))
    return True, f"within {worst} ULP ({where})"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("id", nargs="*", help="rows; all of cases/ if none is named")
    parser.add_argument("--check", action="store_true", help="compare with the committed files")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # torch on its mean of kl_div, the peers on their imports
    good = True
    rows = sorted(path.stem for path in (HERE / "cases").glob("*.py"))
    unknown = sorted(set(arguments.id) - set(rows))
    if unknown:
        parser.error(f"no cases/<id>.py for {', '.join(unknown)}")
    for id in arguments.id or rows:
        data = generate(id)
        path = HERE / "data" / f"{id}.safetensors"
        about = f"{len(header(data)['cases'])} cases, {len(data)} bytes"
        if arguments.check:
            fine, text = compare(path.read_bytes(), data) if path.exists() else (False, "MISSING")
            good = good and fine
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            text = "written"
        print(f"{id}: {about}: {text}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
