"""Makes the .pt and .safetensors files of this folder with PyTorch 2.10.0 and safetensors.

    python make.py
"""
import json
import os

import torch
from safetensors.torch import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torch.manual_seed(0)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 3)
        self.norm = torch.nn.BatchNorm1d(3)
        with torch.no_grad():
            self.fc.weight.copy_(torch.arange(6.0).reshape(3, 2))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 7,
            "losses": [torch.tensor(0.5), torch.tensor(0.25)]}, "checkpoint.pt")

base = torch.arange(24.0).reshape(2, 3, 4)
nested = {
    "dtypes": {str(t).removeprefix("torch."): torch.tensor([0, 1, 2]).to(t) for t in (
        torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.float16, torch.bfloat16, torch.float32, torch.float64)},
    "strides": {
        "base": base,
        "transposed": base.transpose(0, 2),
        "row": base[1, 2],
        "column": base[:, :, 1],
        "every_other": base[..., ::2],
        "expanded": torch.tensor([[3.0]]).expand(2, 5),
        "channels_last": torch.arange(16.0).reshape(1, 2, 2, 4).to(
            memory_format=torch.channels_last),
    },
    "scalar": torch.tensor(1.5, dtype=torch.float64),
    "empty": torch.empty(2, 0, 3),
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "plain": [1, -2, 300, 70000, 2**40, 10**30, -(2**70), 2.5, float("inf"), True, False, None,
              "text äß", b"\x00\xff", b"", (), (1, (2,)), {3, 4}, frozenset({"x"}), set(),
              torch.Size([2, 3]), torch.float32, torch.strided],
    5: {1.5: "a", True: "b"},
}
torch.save(nested, "nested.pt")
torch.save(nested, "protocol5.pt", pickle_protocol=5)
torch.save(torch.arange(3), "tensor.pt")

torch.serialization.set_crc32_options(False)
torch.save({"x": torch.arange(3)}, "no_checksums.pt")
torch.serialization.set_crc32_options(True)

torch.save({"x": torch.arange(3)}, "legacy.pt", _use_new_zipfile_serialization=False)
torch.save(torch.nn.Linear(1, 1), "module.pt")
torch.save({"x": torch.arange(3), "device": torch.device("cpu")}, "device.pt")
torch.save(torch._neg_view(torch.ones(2)), "negated.pt")
torch.save(torch.ones(2, dtype=torch.complex64), "complex.pt")
torch.save(torch.eye(2).to_sparse(), "sparse.pt")

save_file({"f16": torch.tensor([1.5, -0.0, 6e-8, 65504, float("inf"), float("nan")]).half(),
           "bf16": torch.tensor([1.5, -2.0, 1e38]).bfloat16(),
           "bool": torch.tensor([[True], [False]]),
           "scalar": torch.tensor(2.5, dtype=torch.float64),
           "empty": torch.empty(0, 3, dtype=torch.int32),
           "name with \" and ä": torch.tensor([2**62 + 1, -1])},
          "python.safetensors", {"key": "value \" ä"})

x = torch.tensor([[0.5, -1.0], [2.0, 0.0]], requires_grad=True)
y = torch.zeros(2, 2)
value = torch.nn.functional.mse_loss(x, y)
(grad,) = torch.autograd.grad(value, x)
header = {"format": 1, "id": "mse_loss", "oracle": "F.mse_loss", "versions": {"torch": "2.10.0"},
          "cases": [{"name": "small", "dtype": "float32", "parameters": {"reduction": "mean"}}]}
torch.save({"jloss": json.dumps(header), "small/float32/input/input": x.detach(),
            "small/float32/input/target": y, "small/float32/value": value.detach(),
            "small/float32/grad/input": grad}, "reference.pt")
torch.save({"jloss": header, "small": {"float32": {"input": {"input": x.detach(), "target": y},
            "value": value.detach(), "grad": {"input": grad}}}}, "reference_nested.pt")
