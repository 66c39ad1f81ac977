"""What python_speed.py times: the same lines in the JVM with jloss and in CPython with PyTorch.

Prints name and seconds. argv[1]: when the process was started.
"""

import sys
import time

started = float(sys.argv[1])
try:
    import jloss as library
    from jloss import MSELoss
except ImportError:
    import torch as library
    from torch.nn import MSELoss

x = library.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
y = library.tensor([0.0, 1.0, 1.0, 2.0])
loss = MSELoss()
assert loss(x, y).item() == 2.5
print("first loss", time.time() - started)


def call():
    loss(x, y)


def step():
    x.grad = None
    loss(x, y).backward()


def best(function, count, seconds):
    """The fastest of the runs that fit in: what others do to the machine counts least."""
    found, end = None, time.perf_counter() + seconds
    while True:
        begin = time.perf_counter()
        for _ in range(count):
            function()
        took = (time.perf_counter() - begin) / count
        found = took if found is None else min(found, took)
        if time.perf_counter() > end:
            return found


print("call, cold", best(call, 100, 0))
print("call, warm", best(call, 100, 8))
print("call and backward, warm", best(step, 100, 8))
size = 1_000_000
row = [0.5] * 1000
rows = [row] * (size // 1000)
tensor = library.tensor(rows)
print("list to tensor, 1e6", best(lambda: library.tensor(rows), 1, 4))
print("tensor to list, 1e6", best(lambda: tensor.tolist(), 1, 4))
