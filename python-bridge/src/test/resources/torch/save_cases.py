"""Scripts over torch.save and torch.load, see nn_cases.py."""

import io
import os

import record
import torch
import torch.nn as nn
from nn_cases import values


def checkpoint():
    """What training scripts save."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.BatchNorm1d(8), nn.Linear(8, 3, bias=False))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    (model(values(5, 4)) - 1).square().sum().backward()
    optimizer.step()
    shared = torch.arange(3)
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "plain": [1, -2, 300, 70000, 2**40, -(2**70), 2.5, float("inf"), True, None, "text äß", b"\x00\xff"],
        "nested": {"tuple": (1, (2.0, "x")), "set": {3}, "empty": [(), [], {}], 5: 1.5, (1): "one"},
        "dtypes": [
            torch.tensor([0, 1, 2]).to(d)
            for d in (torch.float64, torch.float16, torch.bfloat16, torch.int32, torch.int16, torch.int8, torch.uint8)
        ],
        "bools": torch.tensor([True, False]),
        "transposed": values(2, 3).t(),
        "row": values(4, 3)[1],
        "scalar": torch.tensor(3.5, dtype=torch.float64),
        "no elements": torch.zeros(2, 0),
        "shared": [shared, shared],
        "parameter": nn.Parameter(values(2)),
    }


def kinds(value):
    """The types in a nested object."""
    if isinstance(value, dict):
        return [type(value).__name__, [[str(k), kinds(v)] for k, v in value.items()]]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, [kinds(v) for v in value]]
    if isinstance(value, (set, bytes)):
        return [type(value).__name__, sorted(value)]
    return type(value).__name__ if not isinstance(value, torch.Tensor) else "Tensor"


def shown(loaded):
    plain = {k: v for k, v in loaded.items() if k != "plain" and k != "nested"}
    text = [str(v) for v in loaded["plain"]]
    return plain, text, str(loaded["nested"]), kinds(loaded)


def case_saved():
    path = os.path.join(record.folder, "checkpoint.pt")
    torch.save(checkpoint(), path)
    return shown(torch.load(path, weights_only=True))


def case_saved_by_cpython():
    loaded = torch.load(os.path.join(os.path.dirname(record.__file__), "checkpoint.pt"), map_location="cpu")
    return shown(loaded)


def case_buffer():
    buffer = io.BytesIO()
    torch.save({"x": values(3), "n": 2}, buffer)
    buffer.seek(0)
    return torch.load(buffer)


def case_resumed():
    path = os.path.join(record.folder, "resume.pt")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 2])

    def train(m, o, s, steps):
        losses = []
        for _ in range(steps):
            o.zero_grad()
            loss = m(values(6, 3)).square().mean()
            loss.backward()
            o.step()
            s.step()
            losses.append(loss.item())
        return losses

    train(model, optimizer, scheduler, 2)
    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()}, path
    )
    again = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer2 = torch.optim.SGD(again.parameters(), lr=0.5)
    scheduler2 = torch.optim.lr_scheduler.MultiStepLR(optimizer2, [7])
    saved = torch.load(path)
    again.load_state_dict(saved["model"])
    optimizer2.load_state_dict(saved["optimizer"])
    scheduler2.load_state_dict(saved["scheduler"])
    return train(model, optimizer, scheduler, 2), train(again, optimizer2, scheduler2, 2)
