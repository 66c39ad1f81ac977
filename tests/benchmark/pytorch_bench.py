"""The benchmark's other half: the same losses in CPython, and the table docs/benchmarks.md.

    jloss bench --json bench.json
    python pytorch_bench.py bench.json --library libjloss.so --write docs/benchmarks.md

With a library this script times, on the inputs that bench.json describes, forward and backward of
- jloss: torch.ops.jloss.<id>, the same native library in this process,
- eager: PyTorch's own operator or the composed form,
- compile: the same under torch.compile,
- peer: the library that people take for this loss, where one is installed,
in turns, round by round, so that drift of the machine's speed meets all alike. Each round gives one
ratio, and the median of at least 15 rounds counts. --json keeps what was measured; given such a file
in place of the library, the script only joins the two.

Needs torch 2.10.0; the peers (torchvision, monai, pytorch-metric-learning) are optional, and so is the
C++ compiler that torch.compile needs.
"""
import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
import warnings

# They make OpenBLAS reproducible for the reference outputs, and slow.
for _name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(_name, None)

ROUNDS = 15
WAYS = ("jloss", "eager", "compile", "peer")


# ------------------------------------------------------------------ inputs, as Draw.java has them

def _bits(key, count):
    import numpy as np
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z += np.uint64(start)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _uniform(key, shape, low, high):
    import numpy as np
    import torch
    u = (_bits(key, int(np.prod(shape))) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return torch.from_numpy((low + (high - low) * u).astype(np.float32).reshape(shape))


def _index(key, shape, high):
    import numpy as np
    import torch
    return torch.from_numpy((_bits(key, int(np.prod(shape))) % np.uint64(high)).astype(np.int64)
                            .reshape(shape))


def tensor(row, draw):
    import torch
    key, shape, kind = f"{row['id']}/{row['size']}/{draw['name']}", draw["shape"], draw["kind"]
    if kind == "UNIFORM":
        x = _uniform(key, shape, -draw["high"], draw["high"])
    elif kind == "UNIT":
        x = _uniform(key, shape, 0.0, 1.0)
    elif kind == "BINARY":
        x = _index(key, shape, 2).float()
    elif kind == "INDEX":
        x = _index(key, shape, int(draw["high"]))
    elif kind == "SIMPLEX":
        x = torch.softmax(_uniform(key, shape, -4.0, 4.0), 1)
    elif kind == "LOG_SIMPLEX":
        x = torch.log_softmax(_uniform(key, shape, -4.0, 4.0), 1)
    else:
        index = _index(key, shape[:1] + shape[2:], shape[1])
        x = torch.nn.functional.one_hot(index, shape[1]).movedim(-1, 1).contiguous().float()
    if draw["channelsLast"]:
        x = x.contiguous(memory_format=torch.channels_last)
    return x.requires_grad_(draw["gradient"])


# ------------------------------------------------------------------ the losses in PyTorch

def eager_forms():
    """By id and size: the loss as a user of PyTorch would write it."""
    import torch
    import torch.nn.functional as F

    def quantile(x, t):
        e = t - x
        return torch.maximum(0.9 * e, (0.9 - 1) * e).mean()

    def sigmoid_focal(x, t):
        p = torch.sigmoid(x)
        ce = F.binary_cross_entropy_with_logits(x, t, reduction="none")
        p_t = p * t + (1 - p) * (1 - t)
        return ((0.25 * t + 0.75 * (1 - t)) * (ce * (1 - p_t) ** 2)).mean()

    def focal(x, t):
        ce = F.cross_entropy(x, t, reduction="none")
        return ((1 - torch.exp(-ce)) ** 2 * ce).mean()

    def dice(p, g):
        return (1 - (2 * (p * g).sum((1, 2, 3)) + 1e-6)
                / (p.sum((1, 2, 3)) + g.sum((1, 2, 3)) + 1e-6)).mean()

    def dice_of_classes(x, t):
        p = torch.softmax(x, 1)
        g = F.one_hot(t, x.size(1)).movedim(-1, 1).float()
        both = p.sum((2, 3)) + g.sum((2, 3))
        return (1 - (2 * (p * g).sum((2, 3)) + 1e-6) / (both + 1e-6)).mean()

    def generalized_dice(p, t):
        g = t.sum((2, 3))
        w = 1 / (g * g)
        absent = torch.isinf(w)
        w = torch.where(absent, 0, w)
        w = w + absent * w.amax(1, keepdim=True)
        tp, both = (p * t).sum((2, 3)), p.sum((2, 3)) + g
        return (1 - (2 * (tp * w).sum(1) + 1e-5) / ((both * w).sum(1) + 1e-5)).mean()

    def contrastive(a, b, t):
        d = F.pairwise_distance(a, b)
        return (t * d**2 + (1 - t) * F.relu(1 - d) ** 2).mean()

    def info_nce(q, p):
        return F.cross_entropy(q @ p.t() / 0.1, torch.arange(len(q)))

    def batch_hard(x, labels):
        x = F.normalize(x)
        d = torch.cdist(x, x)
        same = labels[:, None] == labels[None, :]
        positives = same.clone().fill_diagonal_(False)
        p = d.masked_fill(~positives, -torch.inf).argmax(1)
        n = d.masked_fill(same, torch.inf).argmin(1)
        a = torch.where(positives.any(1) & (~same).any(1))[0]
        return a, p[a], n[a]

    return {
        "mse_loss": F.mse_loss, "huber_loss": F.huber_loss, "quantile_loss": quantile,
        "bce_with_logits_loss": F.binary_cross_entropy_with_logits,
        "sigmoid_focal_loss": sigmoid_focal, "cross_entropy_loss": F.cross_entropy,
        "focal_loss": focal, "kl_div_loss": F.kl_div, "dice_loss": dice,
        "dice_loss/seg": dice_of_classes, "dice_loss/seg-cl": dice_of_classes,
        "generalized_dice_loss": generalized_dice, "contrastive_loss": contrastive,
        "triplet_margin_loss": F.triplet_margin_loss, "info_nce_loss": info_nce,
        "batch_hard_miner": batch_hard,
        "uncertainty_weighting": lambda L, s: (0.5 * torch.exp(-s) * L + 0.5 * s).sum(),
    }


def peer_forms(missing):
    """The same function in the library that people take; names of missing libraries are added."""
    peers = {}
    try:
        from torchvision.ops import sigmoid_focal_loss
        peers["sigmoid_focal_loss"] = lambda x, t: sigmoid_focal_loss(x, t, reduction="mean")
    except ImportError:
        missing.append("torchvision")
    try:
        from monai.losses import DiceLoss, GeneralizedDiceLoss
        binary = DiceLoss(smooth_nr=1e-6, smooth_dr=1e-6)
        classes = DiceLoss(softmax=True, to_onehot_y=True, smooth_nr=1e-6, smooth_dr=1e-6)
        peers["dice_loss"] = binary
        peers["dice_loss/seg"] = lambda x, t: classes(x, t.unsqueeze(1))
        peers["dice_loss/seg-cl"] = peers["dice_loss/seg"]
        peers["generalized_dice_loss"] = GeneralizedDiceLoss(smooth_nr=1e-5, smooth_dr=1e-5)
    except ImportError:
        missing.append("monai")
    try:
        from pytorch_metric_learning.miners import BatchHardMiner
        peers["batch_hard_miner"] = BatchHardMiner()
    except ImportError:
        missing.append("pytorch-metric-learning")
    return peers


def can_compile(missing):
    """Whether torch.compile works here; the reason, where it does not, is added."""
    import torch
    try:
        torch.compile(lambda x: x + 1)(torch.ones(3))
    except Exception as error:  # whatever class this version of torch has for it
        missing.append(f"torch.compile ({str(error).strip().splitlines()[0]})")
        return False
    return True


# What the Java records call by name and the operators by number.
CODES = {"mode": {"multiclass": 2}, "average": {"macro": 1}}


def operator(row):
    import torch
    options = {name: CODES[name][value] if name in CODES else value
               for name, value in row["parameters"].items()}
    if "tau" in options:
        options["tau"] = [options["tau"]]
    function = getattr(torch.ops.jloss, row["id"])
    return lambda *inputs: function(*inputs, **options)


# ------------------------------------------------------------------ timing

def step(function, inputs):
    """Value and gradients once."""
    value = function(*inputs)
    if not isinstance(value, tuple | list) and value.requires_grad:
        value.backward()
        for x in inputs:
            x.grad = None
    return value


def check(row, ways, inputs):
    """All compute the same number, the one that Java had."""
    first = ways["jloss"](*inputs)
    number = first[-1][0].item() if isinstance(first, tuple | list) else first.item()
    assert abs(number - row["value"]) <= 1e-5 * abs(number), (row["id"], number, row["value"])
    for name, function in ways.items():
        other = function(*inputs)
        if isinstance(first, tuple | list):
            assert all(bool((a == b).all()) for a, b in zip(first, other)), (row["id"], name)
        else:
            a, b = first.item(), other.item()
            # float32 sums of millions of terms: the ways differ in how they add.
            assert abs(a - b) <= 1e-4 * abs(b), f"{row['id']}/{row['size']}: jloss {a}, {name} {b}"


def measure(row, forms, peers, with_compile):
    import torch
    inputs = [tensor(row, draw) for draw in row["inputs"]]
    key = f"{row['id']}/{row['size']}"
    eager = forms.get(key, forms[row["id"]])
    ways = {"jloss": operator(row), "eager": eager}
    if with_compile:
        torch._dynamo.reset()
        ways["compile"] = torch.compile(eager, dynamic=False)
    if key in peers or row["id"] in peers:
        ways["peer"] = peers.get(key, peers.get(row["id"]))
    check(row, ways, inputs)
    repeats = {}
    for name, function in ways.items():
        for _ in range(3):
            step(function, inputs)
        start = time.perf_counter()
        step(function, inputs)
        repeats[name] = max(1, int(0.02 / (time.perf_counter() - start)))
    calls = min(repeats.values())
    times = {name: [] for name in ways}
    order = list(ways)
    for turn in range(ROUNDS):
        totals = dict.fromkeys(ways, 0.0)
        for call in range(calls):
            first = (turn + call) % len(order)
            for name in order[first:] + order[:first]:
                start = time.perf_counter()
                step(ways[name], inputs)
                totals[name] += time.perf_counter() - start
        for name in ways:
            times[name].append(totals[name] / calls * 1e6)
    return {
        "id": row["id"], "size": row["size"],
        "microseconds": {name: statistics.median(t) for name, t in times.items()},
        "ratios": {f"{name}/jloss": statistics.median(
            t / j for t, j in zip(times[name], times["jloss"])) for name in ways if name != "jloss"},
        "pairs": ROUNDS,
    }


def run(java, arguments):
    import torch
    warnings.filterwarnings("ignore", message="reduction: 'mean'")
    torch.ops.load_library(arguments.library)
    torch.set_num_threads(java["threads"])
    missing = []
    forms, peers = eager_forms(), peer_forms(missing)
    with_compile = not arguments.no_compile and can_compile(missing)
    versions = {"python": platform.python_version()}
    for name in ("torch", "torchvision", "monai", "pytorch-metric-learning"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    rows = []
    for row in java["rows"]:
        key = f"{row['id']}/{row['size']}"
        if arguments.row and row["id"] not in arguments.row and key not in arguments.row:
            continue
        if not hasattr(torch.ops.jloss, row["id"]):
            print(key, "no operator", flush=True)
            continue
        measured = measure(row, forms, peers, with_compile)
        rows.append(measured)
        print(key, *(f"{name} {t:.1f} us" for name, t in measured["microseconds"].items()),
              *(f"{name} {r:.2f}" for name, r in measured["ratios"].items()), flush=True)
    return {"versions": versions, "missing": missing, "threads": java["threads"], "rows": rows}


# ------------------------------------------------------------------ the table

def time_text(microseconds):
    if microseconds is None:
        return ""
    if microseconds < 1000:
        return f"{microseconds:.1f} µs" if microseconds < 100 else f"{microseconds:.0f} µs"
    return f"{microseconds / 1000:.1f} ms" if microseconds < 1e5 else f"{microseconds / 1000:.0f} ms"


def ratio_text(ratio):
    return "" if ratio is None else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def table(headings, rows):
    lines = ["| " + " | ".join(headings) + " |",
             "|" + "|".join([" --- ", " --- "] + [" ---: "] * (len(headings) - 2)) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def document(java, python):
    machine = java["machine"]
    lines = [
        "# Benchmarks", "",
        "    ./jloss bench --quick                       the table of the JVM, within 10 minutes",
        "    ./jloss bench --row cross_entropy_loss      one loss in full",
        "    ./jloss bench -- --help                     all options, and what the columns mean", "",
        "With CPython and torch 2.10.0 (and the peers, and a C++ compiler for torch.compile), this "
        "file is written by", "",
        "    ./jloss bench --json jvm.json",
        "    python tests/benchmark/pytorch_bench.py jvm.json "
        "--library native/target/cmake/libjloss.so --write docs/benchmarks.md", "",
        "Numbers of one machine on one day: run them on yours.", "",
        f"- Machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory']}, kernels "
        f"{machine['capability']}; {machine['os']}.",
        f"- JVM: {machine['java']}; libtorch {machine['libtorch']} of the preset; "
        f"jloss {machine['jloss']}; {java['threads']} threads.",
    ]
    if python:
        versions = ", ".join(f"{name} {v}" for name, v in python["versions"].items())
        lines.append(f"- CPython: {versions}; {python['threads']} threads.")
        if python["missing"]:
            lines.append(f"- Not to be had here, so without a column: {', '.join(python['missing'])}.")
    lines += [
        "", "## In the JVM", "",
        "One call is the value and all gradients, float32, mean reduction. *Fused* is "
        "`valueAndGradient`, *autograd* is `apply` and `backward`, *composed* is the same loss from "
        "ATen's operators through the preset and `backward`, by ATen's own fused operator where "
        "there is one. Ratios are medians over pairs timed in turns. *Peak* is the most bytes of "
        "tensors at once beyond the inputs, in multiples of the gradients' own bytes (of the "
        "embeddings' for the miner); scratch space that no tensor owns is not in it.", ""]
    rows = []
    for row in java["rows"]:
        us, ratios = row["microseconds"], row["ratios"]
        peak = [f"{row['peak_bytes'][way] / row['gradient_bytes']:.2f}"
                for way in ("fused", "autograd", "composed")]
        rows.append([row["id"], row["shape"], time_text(us["fused"]), time_text(us["autograd"]),
                     time_text(us["composed"]), ratio_text(ratios["composed/fused"]["median"]),
                     ratio_text(ratios["composed/autograd"]["median"])] + peak)
    lines += table(["loss", "input", "fused", "autograd", "composed", "composed / fused",
                    "composed / autograd", "peak fused", "peak autograd", "peak composed"], rows)
    if python:
        shapes = {(row["id"], row["size"]): row["shape"] for row in java["rows"]}
        lines += [
            "", "## In CPython", "",
            "The same library as operators `torch.ops.jloss.*`, forward and backward, beside "
            "PyTorch on the same inputs; ratios to jloss, again medians over pairs timed in turns. "
            "The peer is torchvision for sigmoid_focal_loss, MONAI for the Dice losses and "
            "pytorch-metric-learning for the miner; the others have none that computes the same "
            "function but PyTorch itself.", ""]
        rows = []
        for row in python["rows"]:
            us, ratios = row["microseconds"], row["ratios"]
            rows.append([row["id"], shapes[row["id"], row["size"]]]
                        + [time_text(us.get(way)) for way in WAYS]
                        + [ratio_text(ratios.get(f"{way}/jloss")) for way in WAYS[1:]])
        lines += table(["loss", "input", "jloss", "eager", "torch.compile", "peer",
                        "eager / jloss", "compile / jloss", "peer / jloss"], rows)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("java", help="what jloss bench --json wrote")
    parser.add_argument("python", nargs="?", help="what this script's --json wrote, to join")
    parser.add_argument("--library", help="libjloss.so: measure")
    parser.add_argument("--json", help="write the measurements here")
    parser.add_argument("--write", help="write the joined table here")
    parser.add_argument("--row", action="append", help="only this loss, or one size of it")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    arguments = parser.parse_args()
    with open(arguments.java, encoding="utf-8") as file:
        java = json.load(file)
    python = None
    if arguments.library:
        python = run(java, arguments)
        if arguments.json:
            with open(arguments.json, "w", encoding="utf-8") as file:
                json.dump(python, file, indent=1)
    elif arguments.python:
        with open(arguments.python, encoding="utf-8") as file:
            python = json.load(file)
    if arguments.write:
        with open(arguments.write, "w", encoding="utf-8") as file:
            file.write(document(java, python))
    return 0


if __name__ == "__main__":
    sys.exit(main())
