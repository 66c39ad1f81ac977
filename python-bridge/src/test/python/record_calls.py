"""Records what PyTorch answers to calls: results as they print, or the exception's type and text.

Run under CPython with PyTorch 2.10, as in
`python record_calls.py > ../resources/org/jloss/python/calls.json`. CallsTest makes the same calls in
the JVM. Each line below is a call; a line that begins with a space is run, for what follows.
"""

import json
import warnings

CALLS = """
 x = torch.arange(6.0).reshape(2, 3)
 y = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.0, -2.0]])
 i = torch.tensor([3, 1, 2])
 m = torch.tensor([True, False, True])
 w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
 n = torch.tensor(3)
 f = torch.tensor(0.5)
torch.add(x, 1)
torch.add(x, y, alpha=2)
torch.add(input=x, other=y)
torch.add(x1=x, x2=y)
torch.add(1, 2)
torch.add(x, y, 2)
torch.add("x", 1)
torch.add(self=x, other=y)
torch.add()
x.add("x")
x.add(1, alpha=2)
x.add(y, alpha=n)
x.add(1, 2)
x.sub(y, alpha=f)
x.mul(2)
x.mul(2.5)
i * 2
i * 2.5
i / 2
i // 2
-i // 2
i % 2
7 % i
7 // i
2 ** i
2.0 ** i
1 - x
1 / (x + 1)
x @ y.T
x @ 1
x ** 0.5
x + "a"
"a" + x
None - x
x / None
x < 2
2 < x
x == 1
x == "a"
x != y
x < "a"
~m
m & True
m | m
m ^ m
i << 1
abs(y)
-y
x.sum()
x.sum(1)
x.sum(-1, True)
x.sum(dim=0, keepdim=True)
x.sum((0, 1))
x.sum([0])
torch.sum(x, axis=1)
torch.sum(x, axis=1, keepdims=True)
x.sum(dtype=torch.float64)
x.sum(dtype=int)
i.sum()
m.sum()
x.sum(2)
x.sum("a")
x.sum(1.5)
x.sum(True)
x.sum((0, 1.0))
torch.sum(x, dim=True)
torch.sum()
torch.sum(x, 0, True, 1)
x.mean(1)
i.mean()
i.mean(dtype=torch.float32)
x.max()
x.max(1)
x.max(dim=1).indices
x.max(dim=1, keepdim=True)
x.max(dim=2)
torch.max(x, y)
torch.max(x, 0)
torch.max(x, 0, True)
x.min(0)
torch.aminmax(x)
x.median(1)
x.median()
x.mode(1)
x.kthvalue(2, 1)
x.sort(descending=True)
torch.sort(y, dim=1, stable=True)
x.topk(2)
torch.topk(x, 2, dim=1, largest=False)
x.topk(9)
x.argmax(1)
x.argmax()
x.cummax(1)
x.std()
torch.std(x, 1, unbiased=False)
torch.std(x, dim=1, correction=0)
torch.var_mean(x, 1)
torch.frexp(f)
torch.linalg.slogdet(torch.eye(2))
torch.linalg.inv(torch.eye(2) * 2)
torch.linalg.norm("x")
torch.special.expit(y)
torch.fft.fft(torch.tensor([1.0, 0.0, 0.0, 0.0]))
torch.norm(x)
torch.norm(x, 1, 1)
torch.norm(x, "fro", dim=(0, 1))
x.norm(p=float("inf"))
x.norm(dim=1, keepdim=True)
torch.clamp(x, 1)
torch.clamp(x, min=1, max=3)
torch.clamp(x, max=f)
x.clamp(min=y)
x.clamp("a")
x.clamp(min="a")
torch.where(x > 2, x, 0)
torch.where(x > 2, x, y)
torch.where(x > 2)
torch.where(1, 2)
torch.zeros(2, 3)
torch.zeros((2, 3))
torch.zeros([2], dtype=torch.int64)
torch.zeros(2, dtype=float)
torch.zeros(n, n)
torch.zeros()
torch.zeros("a")
torch.zeros(2, "a")
torch.zeros((2, 1.5))
torch.zeros([1.5, 2])
torch.zeros(2, dtype="float")
torch.zeros(2, layout=1)
torch.ones(-1)
torch.ones(2, requires_grad=True)
torch.ones(2, dtype=torch.int64, requires_grad=True)
torch.ones(2, device="cpu")
torch.empty(0, 3)
torch.empty(2, 3, device="meta")
torch.full((2,), 1)
torch.full((2,), 1.5)
torch.full((2,), True)
torch.full((2,), "a")
torch.full((2,))
torch.eye(2, 3)
torch.arange(4)
torch.arange(1, 4)
torch.arange(0, 1, 0.25)
torch.arange(3.0)
torch.arange(end=3)
torch.arange("a")
torch.arange()
torch.arange(1, 2, 0)
torch.linspace(0, 1, 5)
torch.linspace(0, 1, steps=3)
torch.linspace(0, 1)
torch.logspace(0, 2, 3)
torch.zeros_like(i)
torch.ones_like(x, dtype=torch.int32)
torch.full_like(x, 7)
x.new_zeros(2)
x.new_ones((2, 2))
x.new_full((2,), 3)
i.new_tensor([1.5, 2.5])
torch.as_tensor([1, 2])
torch.tensor([[1, 2], [3, 4]])
torch.tensor([1, 2.5])
torch.tensor([True, False])
torch.tensor(3, dtype=torch.float16)
torch.tensor([[1], [1, 2]])
torch.manual_seed(0) and torch.randn(3)
torch.rand(2, 2)
torch.randint(10, (4,))
torch.randint(5, 10, (4,))
torch.randint(0, 10, 3)
torch.randint("x")
torch.randperm(5)
torch.normal(0.0, 1.0, (3,))
torch.normal(0, 1)
torch.bernoulli(torch.full((4,), 0.5))
torch.multinomial(torch.tensor([0.1, 0.9]), 4, replacement=True)
torch.rand(2, generator=torch.Generator().manual_seed(1))
torch.randn_like(x)
torch.nn.functional.dropout(torch.ones(4), 0.5) if False else torch.dropout(torch.ones(4), 0.5, True)
x.view(-1, 2)
x.view((3, 2))
x.view("a")
x.view(2, "a")
x.view(4, 2)
x.reshape(3, -1)
x.reshape("a")
x.permute(1, 0)
x.permute((1, 0)).stride()
x.permute("x")
x.permute(1.0, 0)
x.permute(0, 0)
x.transpose(0, 1)
x.t()
x.expand(2, 2, 3).shape
x.expand(-1, 4)
x.repeat(1, 2)
x.repeat(2)
x.tile((2, 1)).shape
x.flip(1)
x.roll(1, 0)
x.flatten()
x.unsqueeze(0).shape
x.squeeze()
x[None].squeeze(0).shape
torch.cat([x, y])
torch.cat((x, y), 1)
torch.cat([x, y], dim=-1)
torch.cat([x, 1])
torch.cat(x)
torch.cat((x, y), dim="a")
torch.cat([])
torch.stack((x, y), 1).shape
torch.split(x, 2, dim=1)
torch.split(x, [1, 2], dim=1)
x.split(1)
torch.chunk(x, 2, 1)
x.unbind(1)
torch.meshgrid(i, m, indexing="ij")
torch.broadcast_tensors(x, i)
torch.broadcast_shapes((2, 1), (3,))
torch.broadcast_shapes((2, 3), (2,))
torch.einsum("ij,kj->ik", x, y)
torch.einsum("ij->j", [x])
torch.einsum(x, [0, 1], y, [2, 1], [0, 2])
torch.tensordot(x, y.T, 1)
torch.tensordot(x, y, dims=([1], [1]))
torch.cdist(x, y)
torch.cdist(x, y, p=1.0)
torch.unique(torch.tensor([2, 1, 2]))
torch.unique(torch.tensor([2, 1, 2]), return_inverse=True, return_counts=True)
torch.unique_consecutive(torch.tensor([1, 1, 2]))
torch.isclose(x, x + 1e-9)
torch.allclose(x, y)
torch.equal(x, x)
torch.softmax(x, 1)
torch.softmax(x, dim=-1, dtype=torch.float64)
torch.softmax(x)
torch.softmax(x, 0, 1)
torch.log_softmax(x, 1)
torch.logsumexp(x, (0, 1))
torch.cumsum(x, 1)
torch.outer(i, i)
torch.gather(x, 1, torch.tensor([[0], [2]]))
x.gather(1, torch.tensor([[5]]))
x.scatter(1, torch.tensor([[0], [2]]), 9.0)
x.scatter_add(1, torch.tensor([[0], [2]]), torch.ones(2, 1))
x.index_select(0, torch.tensor([1]))
x.index_select(0, torch.tensor([5]))
x.masked_fill(m, -1)
x.masked_fill(m, f)
x.masked_select(m)
x.nonzero()
torch.nonzero(m, as_tuple=True)
torch.tril(x)
torch.triu(x, diagonal=1)
torch.diag(torch.tensor([1, 2]))
torch.bincount(i)
torch.one_hot(i) if False else torch.bucketize(f, torch.tensor([0.0, 1.0]))
torch.relu(y)
torch.relu(x, 1)
torch.exp()
torch.exp(3)
torch.exp(x, foo=3)
torch.exp(x, 3)
torch.exp(input=x, x=x)
torch.pow(x, 2)
torch.pow(2, x)
torch.pow(input=x, exponent=2)
torch.div(x, 2, rounding_mode="floor")
torch.div(x, 2, rounding_mode="x")
i // 0
x.add_(torch.ones(3, 3))
torch.add(torch.ones(2, 3), torch.ones(2, 4))
torch.mm(x, x)
x.clone().mul_(2)
x.clone().fill_(1)
x.long().add_(1.5)
x.to(torch.float64)
x.to("cpu").dtype
x.to(i).dtype
x.to(dtype=torch.int32)
x.to("cpu", torch.float16).dtype
x.to("x", "y", "z", "u", "v")
x.type()
x.type(torch.float64).dtype
x.half().dtype
x.bool()
x.item()
torch.tensor([7]).item()
bool(x)
len(torch.tensor(1))
int(n)
float(f)
float(x)
int(x)
complex(torch.ones(0))
torch.tensor([1j, 2.0])
torch.tensor(1 + 2j, dtype=torch.complex128)
torch.tensor([[1.5, 2j]]).tolist()
torch.tensor(2**70)
torch.tensor(None)
torch.tensor("a")
x[1, 2]
x[-1]
x[:, 1:]
x[..., 0]
x[0, None]
x[[0, 0]]
x[:, [2, 0]]
x[x > 2]
x[torch.tensor([1, 0])]
x[m[:2]]
x[n - 2]
x[5]
x[:, :, 0]
x["a"]
x[1.5]
torch.tensor(1)[0]
torch.ones(3)[torch.tensor([5])]
x.size(0), x.size(), x.size(-1)
x.size(2)
x.shape[1:]
x.dim(), x.numel(), x.stride(), x.dtype, x.device, x.layout
x.is_floating_point(), i.is_floating_point()
torch.result_type(i, 1.5)
torch.promote_types(torch.int32, torch.float16)
torch.finfo(torch.float32).eps
torch.iinfo(torch.int8).max
w * 2
(w * 2).detach()
w.grad
w.sum().backward()
w.grad
w.backward()
x.backward()
torch.autograd.grad((w ** 2).sum(), w)
w.clone().requires_grad_(False)
i.requires_grad_()
w.add_(1)
torch.tensor([1e-8, 1.0])
torch.tensor([1.0, 1e5])
torch.tensor([float("nan"), float("inf"), 1.5])
torch.arange(2000)
torch.zeros(40, 40)
torch.tensor(1.23456789, dtype=torch.float64)
torch.complex(f, f)
torch.tensor([])
torch.zeros(0, 2)
torch.arange(30.0)
x.half()
x.unsqueeze(0)
torch.set_printoptions(precision=2) or y / 3
torch.set_printoptions(sci_mode=True) or y
torch.set_printoptions(precision=4, linewidth=30) or torch.arange(12.0)
torch.set_printoptions(profile="default") or y
torch.set_printoptions(threshold=3, edgeitems=1) or x
torch.set_printoptions(profile="default") or x.sum()
isinstance(x, torch.FloatTensor), isinstance(x, torch.DoubleTensor), isinstance(i, torch.LongTensor), isinstance(3, torch.LongTensor)
isinstance(torch.nn.Linear(1, 1).weight, torch.FloatTensor), torch.FloatTensor, torch.BoolTensor.dtype, torch.LongTensor([1, 2])
(w * 2).grad_fn.name(), type((w * 2).grad_fn), (w * 2).grad_fn.__class__.__name__
torch.zeros(1)._version, torch.empty(1)._version, torch.tensor([1.0])._version, torch.rand(1)._version, x.new_zeros(1)._version
torch.ones(1).add_(1)._version
x.clone().__setitem__(slice(0, 2), torch.ones(3, 2))
x.clone()[0].__setitem__(slice(0, 2), torch.ones(2, 2))
x.clone().__setitem__(torch.tensor([0, 1]), torch.ones(2))
x.clone().__setitem__(0, [1, 2])
x.is_pinned(), x.clone().share_memory_()
 V = torch.autograd.Variable
V(i), V(w * 2), V(w), V(x, requires_grad=True), V(), isinstance(x, V), isinstance(3, V), V
V(i, requires_grad=True)
V([1.0])
torch.autograd.grad((w ** 2).sum(), w, None, None, False, True)
torch.autograd.grad(outputs=(w ** 2).sum(), inputs=w, retain_graph=True, only_inputs=True)
torch.tensor([1, 2], dtype=torch.uint16), torch.zeros(2, dtype=torch.uint32), torch.tensor([2**64 - 1], dtype=torch.uint64)
torch.tensor([1, 2], dtype=torch.uint16).float(), torch.tensor([1.5, 2]).to(torch.uint32), x.to(torch.uint64)
torch.tensor([1, 2], dtype=torch.uint16) + 1
torch.tensor([1, 2], dtype=torch.uint16) == 1
torch.tensor([1, 2], dtype=torch.uint32).sum(), torch.tensor([2**63], dtype=torch.uint64).item(), torch.ones(1, dtype=torch.uint16).type()
torch.tensor([-1], dtype=torch.uint8), torch.tensor([-1], dtype=torch.uint16)
torch.tensor([70000], dtype=torch.uint16)
torch.tensor([-300], dtype=torch.uint8)
torch.promote_types(torch.uint16, torch.int32)
torch.complex(f.half(), f.half())
 torch.set_default_dtype(torch.float64)
torch.zeros(1), torch.ones(1), torch.eye(2), torch.empty(1).dtype, torch.scalar_tensor(3)
torch.full((1,), 1), torch.full((1,), 1.5), torch.full((1,), True)
torch.arange(3), torch.arange(3.0), torch.linspace(0, 1, 3), torch.linspace(f, 1, 3), torch.logspace(0, 1, 3)
torch.zeros(1, dtype=torch.float32), torch.zeros_like(x), torch.zeros_like(i), i.new_zeros(1)
torch.tensor([1.0]), torch.tensor([]), torch.tensor([1]), torch.tensor(1j), torch.Tensor([1]), torch.as_tensor(0.5)
torch.manual_seed(0) and torch.rand(2), torch.randn(2), torch.randint(0, 9, (2,)), torch.normal(0.0, 1.0, (2,))
i / 2, i / i, 1 / i, i * 2.5, 2.5 - i, i ** 0.5, 2.0 ** i, i // 2.5, i % 1.5
i.sqrt(), m.sigmoid(), torch.atan2(i, i), i.logsumexp(0), torch.xlogy(i, 3), torch.fft.fft(i)
i.float(), i.float() / 3, i.sum(dtype=torch.float32), i * f, i // 2, i.sum()
torch.where(m, 1.0, 2.0), torch.where(m, i, 0.5), torch.where(m, 1, 2), torch.add(1.5, 2)
torch.cat([i, torch.tensor([0.5])]), torch.result_type(i, 1.5), torch.result_type(x, 1.5)
torch.nn.Linear(2, 2).weight.dtype, torch.finfo().bits, torch.get_default_dtype()
 torch.set_default_dtype(torch.float16)
torch.tensor([1.5, 2]), torch.tensor([]), torch.ones(1), i / 2
torch.tensor(1j).dtype, torch.tensor([1j, 2.0]).dtype
 torch.set_default_dtype(torch.bfloat16)
torch.tensor(1j)
 torch.set_default_dtype(torch.float32)
i / 2, torch.ones(1)
torch.ones(2, requires_grad=True).view(2).detach_()
x[0].detach_()
(w * 2).detach_(), (w * 2).detach_().is_leaf, w.detach().detach_()
torch.tensor(["a"])
torch.tensor(["a", 1])
torch.as_tensor(["a"])
torch.tensor([1, "a"])
torch.tensor([1, 2], requires_grad=True)
torch.nn.Parameter(i)
setattr(i, "requires_grad", True)
setattr(w, "requires_grad", 1)
setattr(w * 2, "requires_grad", False)
i.requires_grad_()
x.max(None)
x.max(None, True)
torch.max(x, None)
x.prod(None)
x.softmax(None)
x.squeeze(None)
x.cumsum(None)
 import copy
copy.deepcopy(w * 2)
copy.copy(w * 2), copy.copy(w * 2).is_leaf
torch.full((2,), 1j), torch.full((1,), 1 + 2j, dtype=torch.complex128)
torch.full((2,), 1j, dtype=torch.float32)
x * 1j, 1j * x, x + (1 + 2j), 1j - x, x / 2j, i * 1j, x == 1j
1 / (x + 1j), (x + 1) ** 1j, 2j / (x + 1)
torch.add(x, 1j), torch.mul(x, 2j), x.cfloat().fill_(1j), torch.where(x > 1, x, 1j)
x.fill_(1j)
x.add_(1j)
x.clamp(1j)
torch.exp(1j)
x.sum(1j)
torch.linspace(0, 1j, 3), torch.scalar_tensor(1j, dtype=torch.complex64)
x.cfloat() * torch.tensor(2j), torch.add(x.cfloat(), x, alpha=1j)
torch.result_type(x, 1j), torch.result_type(x.double(), 1j), (x.double() * 1j).dtype
torch.vander(torch.tensor([1, 2, 3])), torch.vander(torch.tensor([1.0, 2.5]), 3, increasing=True)
torch.vander(x)
x.index_copy(0, torch.tensor([1]), torch.zeros(1, 3))
x[1:].storage_offset(), x[:, 1].storage_offset(), x.data_ptr() == x.view(-1).data_ptr(), x[1].data_ptr() - x.data_ptr()
 p = torch.nn.Parameter(torch.ones(2)); q = torch.zeros(2); was = p.data; p.data = q; q[0] = 5
p, was, p.grad, p.is_leaf
(p * p).sum().grad_fn.next_functions[0][0].name(), p.grad_fn, (p * 2).unbind()[1].output_nr
torch.optim.ASGD([p], lr=0.5), torch.optim.RAdam([p])
torch.autograd.graph.get_gradient_edge(x)
torch.nn.AdaptiveLogSoftmaxWithLoss(4, 6, [])
torch.nn.Transformer(8, 3)
"""


def record(torch):
    """What each call gives."""
    scope = {"torch": torch}
    records = []
    for line in CALLS.strip("\n").split("\n"):
        if line.startswith(" "):
            exec(line.strip(), scope)
            records.append({"run": line.strip()})
            continue
        try:
            records.append({"call": line, "result": repr(eval(line, scope))})
        except Exception as error:
            records.append({"call": line, "error": type(error).__name__, "text": str(error)})
    return records


if __name__ == "__main__":
    import torch

    warnings.simplefilter("ignore")
    print(json.dumps(record(torch), indent=0))
