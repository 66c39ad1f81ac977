"""Calls every method that Java exports with made-up arguments; given: methods, passed, last_call,
seed, rounds."""

import builtins
import random
import re

import _jloss_host
import jloss
from jloss._errors import translated

host = _jloss_host.host
random = random.Random(seed)


class EvilInt(int):
    def __index__(self):
        raise KeyError("evil index")

    def __eq__(self, other):
        raise KeyError("evil eq")

    __hash__ = None


class EvilList(list):
    def __init__(self, length):
        super().__init__([1, "a", None])
        self.length = length

    def __len__(self):
        return self.length()

    def __getitem__(self, index):
        raise KeyError("evil item")

    def __iter__(self):
        raise KeyError("evil iterator")


class EvilSequence:
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return self


class EvilHandle:
    def __init__(self, handle):
        self._jloss = handle


class EvilAttribute:
    def __getattr__(self, name):
        raise KeyError(name)


class EvilText(str):
    def __str__(self):
        raise KeyError("evil str")


def evil_function(*arguments):
    return arguments[0] if arguments else None


def raising(*arguments):
    raise LookupError("of the script")


def length():
    raise KeyError("evil len")


x = jloss.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
target = jloss.tensor([0, 1])
loss = jloss.CrossEntropyLoss()
miner = jloss.BatchHardMiner()
memory = jloss.NegativeQueue(size=4, dim=2)
closed = jloss.NegativeQueue(size=4, dim=2)
closed.close()
recursive = []
recursive.append(recursive)
objects = {
    "Host": host,
    "PyTensor": x._jloss,
    "PyTensor leaf": jloss.ones(2, 2)._jloss,
    "PyLoss": loss._jloss,
    "PyMiner": miner._jloss,
    "PyMemory": memory._jloss,
    "PyMemory closed": closed._jloss,
    "PyAutograd": host.autograd(),
    "PyGenerator": host.generator(),
    "CheckedOps": host.checked(),
    "TensorFiles": host.tensorFiles(),
    "PyCode": host.code(0, 6),
    "PyOperator": host.operator("t", "add"),
    "PyOperator reduced": host.operator("m", "max"),
    "PyNode": (x * 2).sum().grad_fn._jloss,
    "PyHook": host.autograd().hook(x._jloss, False, evil_function),
    "JavaObject": passed._JavaObject__object,
}

arguments = [
    None, True, 0, 1, -1, 3, 2**31, -(2**31), 2**63 - 1, -(2**63), 2**64, 10**400, float("nan"), 1e308,
    -0.5, 1j, "", "x", "input", "mse_loss", "cross_entropy_loss", "negative_queue", "size", "tnflsp",
    "add", "\0", "\ud800", "/etc/passwd", b"", b"abcdefgh", bytearray(8), memoryview(b"ab"), (), (1,),
    [], [1], [2, 2], ["a", "b"], ["input"], ("reduction",), ("sum",), [None], [x], [x._jloss], (x, x),
    [1.0, loss._jloss, ()], [1.0, loss._jloss], [1.0, loss._jloss, ("a",)], ["x", loss._jloss, ()],
    [1.0, 2.0, ()], [[1], [2]], recursive, [0] * 100_000, {}, {"a": 1}, {1}, object(), int, type, slice(1),
    slice(None, 2**70), ..., range(3), range(10**12), iter([1]), NotImplemented, evil_function, raising,
    evil_function.__code__, host, host.names(), host.autograd(), objects["PyHook"], objects["PyCode"],
    objects["PyNode"], (objects["PyNode"],),
    x, x._jloss, target, target._jloss, jloss.zeros(0), jloss.rand(2, 2, dtype=jloss.float64)._jloss, loss,
    loss._jloss, miner._jloss, memory._jloss, closed._jloss, passed, EvilInt(1), EvilInt(10**30),
    EvilList(lambda: 10**12), EvilList(lambda: -1), EvilList(length), EvilSequence(10**12),
    EvilSequence(2), EvilHandle(3), EvilHandle(None), EvilHandle(host), EvilHandle(x._jloss),
    EvilAttribute(), EvilText("sum"),
]  # fmt: skip
# What ends the script, what belongs to the process, and what is there to be let through.
skipped = {("Host", "exits"), ("Host", "heeded")}
internal = re.compile(
    r"\b(java|javax|sun|jdk|polyglot|(org|com)\.\w+)\.|\w+Exception\b|\w\$\w|\bnull\b|\bPyTensor\b|c10::"
)
calls = 0
told = set()


def judge(name, error):
    error = translated(error)
    kind = type(error).__name__
    if not isinstance(error, Exception) or getattr(builtins, kind, None) is not type(error):
        told.add(f"{name}: {kind} is no exception of Python: {str(error)[:200]}")
    elif internal.search(str(error)):
        told.add(f"{name}: {kind}: {str(error)[:200]}")


def call(owner, name, given):
    global calls
    calls += 1
    last_call.write(f"{owner}.{name}({', '.join(type(g).__name__ for g in given)})")
    try:
        getattr(objects[owner], name)(*given)
    except BaseException as error:
        judge(f"{owner}.{name}", error)


for owner, held in objects.items():
    for name, count in methods[owner.split()[0]].items():
        if (owner, name) in skipped:
            continue
        for given in range(count + 2):
            tries = 1 if given == 0 else len(arguments) if given == count == 1 else rounds
            for i in range(tries):
                chosen = [random.choice(arguments) for _ in range(given)]
                if given == count == 1:
                    chosen = [arguments[i]]
                call(owner, name, chosen)
missing = set(methods) - {owner.split()[0] for owner in objects} - {"PyError"}
assert not missing, missing
assert sorted(told) == [], "\n" + "\n".join(sorted(told))
assert jloss.tensor([1.0, 2.0]).sum().item() == 3
print("lived:", calls)
