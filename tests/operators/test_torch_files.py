"""What scripts in the JVM save CPython loads: the files are of python-bridge's tests, which run before."""

from pathlib import Path

import pytest
import torch

FOLDER = Path(__file__).parents[2] / "python-bridge/target/torch-files"
HERE = Path(__file__).parents[2] / "python-bridge/src/test/resources/torch"


@pytest.mark.parametrize("mmap", [False, True])
def test_checkpoint(mmap):
    ours = torch.load(FOLDER / "checkpoint.pt", weights_only=True, mmap=mmap)
    theirs = torch.load(HERE / "checkpoint.pt", weights_only=True)
    assert str(ours["plain"]) == str(theirs["plain"])
    assert str(ours["nested"]) == str(theirs["nested"])
    assert type(ours["model"]) is type(theirs["model"])
    assert type(ours["parameter"]) is torch.nn.Parameter
    assert ours["shared"][0].data_ptr() == ours["shared"][1].data_ptr()
    torch.testing.assert_close(tensors(ours), tensors(theirs))
    optimizer = torch.optim.Adam([torch.zeros_like(v) for v in list(ours["model"].values())[:5]])
    optimizer.load_state_dict(ours["optimizer"])


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for v in value for t in tensors(v)] if isinstance(value, (list, tuple)) else []
