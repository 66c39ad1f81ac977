"""What tests/reference/jloss_case.py refuses, and that no broken file is left behind."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))
from jloss_case import make_case, save_case, save_cases  # noqa: E402

X = torch.ones(2)
LOSS = torch.tensor(1.5)


def test_what_is_not_given_is_left_out(tmp_path):
    save_case(tmp_path / "x", "mse_loss", {}, {"input": X, "weight": None}, LOSS, grad={"input": X})
    assert sorted(load_file(tmp_path / "x")) == [f"case/float32/{p}" for p in ("grad/input", "input/input", "value")]


@pytest.mark.parametrize("given", [None, [X, None]])
@pytest.mark.parametrize("kind", ["grad", "grad64", "gradgrad"])
def test_a_gradient_that_was_not_kept(kind, given):
    with pytest.raises(ValueError, match=rf"^{kind} of input is None: call retain_grad\(\) on it before backward\(\)$"):
        make_case("c", {}, {"input": X}, LOSS, **{kind: {"input": given}})


@pytest.mark.parametrize("given", [X, [1.0, X]])
def test_a_tensor_is_no_parameter(given):
    with pytest.raises(TypeError, match="^parameter weight: .* got a tensor: tensors are inputs$"):
        make_case("c", {"weight": given}, {"input": X}, LOSS)


def test_a_number_is_no_tensor():
    with pytest.raises(TypeError, match=r"^value: expected a tensor, got a float: .* not its item\(\)$"):
        make_case("c", {}, {"input": X}, LOSS.item())
    with pytest.raises(TypeError, match="^input/input: expected a tensor, got a float$"):
        make_case("c", {}, {"input": 1.0}, LOSS)


def test_a_failure_leaves_the_file_alone(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="two cases are called c/float32"):
        save_cases(path, "mse_loss", [make_case("c", {}, {"input": X}, LOSS)] * 2)
    assert path.read_bytes() == b"before"
