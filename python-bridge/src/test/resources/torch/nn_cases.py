"""Scripts over torch.nn: what each case returns in CPython is recorded in expected.json by record.py."""

import copy
import warnings
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.utils.rnn as R
from torch.utils.checkpoint import checkpoint, checkpoint_sequential


def error(function):
    try:
        function()
    except Exception as raised:
        return f"{type(raised).__name__}: {raised.args[0]}"
    return "no error"


def warned(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = function()
    return value, [f"{w.category.__name__}: {w.message}" for w in caught]


def grads(module):
    return [p.grad for p in module.parameters()]


def values(*shape):
    """Numbers that need no random generator."""
    count = 1
    for size in shape:
        count *= size
    return ((torch.arange(count) * 37 % 101).float() / 50 - 1).reshape(shape)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.norm = nn.BatchNorm1d(8)
        self.last = nn.Linear(8, 3, bias=False)
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("kept", torch.zeros(2))
        self.register_buffer("dropped", torch.zeros(2), persistent=False)

    def forward(self, x):
        return self.last(torch.relu(self.norm(self.first(x)))) * self.scale


def net():
    torch.manual_seed(0)
    return Net()


# Module


def case_linear_init():
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    return layer.weight, layer.bias, repr(layer), repr(layer.weight), repr(layer.bias)


def case_members():
    n = net()
    return (
        [k for k, _ in n.named_parameters()],
        [k for k, _ in n.named_buffers()],
        [k for k, _ in n.named_modules()],
        [k for k, _ in n.named_children()],
        list(n.state_dict()),
        [k for k, _ in n.named_parameters(prefix="x", recurse=False)],
        sum(p.numel() for p in n.parameters()),
        n.get_submodule("norm") is n.norm,
        n.get_parameter("first.weight") is n.first.weight,
        n.get_buffer("norm.running_mean") is n.norm.running_mean,
        error(lambda: n.get_submodule("norm.nothing")),
        error(lambda: n.get_submodule("norm.weight")),
        error(lambda: n.get_parameter("kept")),
        error(lambda: n.get_buffer("scale")),
    )


def case_repr():
    return (
        repr(net()),
        repr(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Sequential(nn.Dropout(0.2)))),
        repr(nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])),
        repr(nn.ModuleDict({"a": nn.Tanh(), "b": nn.ModuleList()})),
        repr(nn.ParameterList([torch.zeros(2, 3), nn.Parameter(torch.zeros(1))])),
        repr(nn.ParameterDict({"w": torch.zeros(2, 3), "n": 3})),
        repr(nn.Sequential()),
        repr(nn.Module()),
    )


def case_forward_backward():
    n = net()
    x = values(5, 4)
    out = n(x)
    out.square().mean().backward()
    return out, grads(n), n.norm.running_mean, n.norm.running_var, n.norm.num_batches_tracked


def case_train_eval():
    n = net()
    a = n.training, n.norm.training
    n.eval()
    out = n(values(5, 4))
    n.train()
    return a, out, n.norm.training, error(lambda: n.train(1))


def case_state_dict():
    n = net()
    state = copy.deepcopy(n.state_dict())
    torch.manual_seed(1)
    other = Net()
    result = other.load_state_dict(state)
    return (
        repr(result),
        [torch.equal(a, b) for a, b in zip(other.state_dict().values(), state.values())],
        type(state).__name__,
        n.state_dict()["scale"].requires_grad,
        n.state_dict(keep_vars=True)["scale"].requires_grad,
        list(n.state_dict(prefix="m.")),
    )


def case_load_errors():
    n = net()
    state = n.state_dict()
    del state["scale"]
    state["more"] = torch.zeros(1)
    state["first.more"] = torch.zeros(1)
    state["last.weight"] = torch.zeros(2, 2)
    loose = OrderedDict(state)
    del loose["last.weight"]
    return (
        error(lambda: n.load_state_dict(state)),
        repr(n.load_state_dict(loose, strict=False)),
        error(lambda: n.load_state_dict([1])),
        error(lambda: n.load_state_dict({"scale": 3}, strict=False)),
        error(lambda: n.load_state_dict({"first.bias": torch.zeros(2)}, strict=False)),
    )


def case_load_assign():
    n = net()
    state = {k: v.double() if v.is_floating_point() else v for k, v in n.state_dict().items()}
    n.load_state_dict(state, assign=True)
    return str(n.scale.dtype), type(n.scale).__name__, n.scale.requires_grad, str(n.kept.dtype)


def case_dtype():
    n = net()
    p = n.first.weight
    n.double()
    same = p is n.first.weight
    out = n(values(5, 4).double())
    n.to(torch.float32)
    m = net().half()
    return (
        same,
        str(p.dtype),
        out,
        str(n.norm.running_mean.dtype),
        str(n.norm.num_batches_tracked.dtype),
        str(m.scale.dtype),
        str(net().to(torch.zeros(1, dtype=torch.float64)).scale.dtype),
        str(net().to("cpu").scale.dtype),
        error(lambda: n.to(torch.int64)),
    )


def case_requires_grad():
    n = net()
    n.requires_grad_(False)
    a = [p.requires_grad for p in n.parameters()]
    n.requires_grad_()
    n(values(5, 4)).sum().backward()
    n.zero_grad(set_to_none=False)
    b = [float(p.grad.abs().sum()) for p in n.parameters()]
    n.zero_grad()
    return a, b, [p.grad is None for p in n.parameters()]


def case_attributes():
    n = net()
    early = nn.Module.__new__(nn.Module)

    def assign(name, value):
        return error(lambda: setattr(n, name, value))

    out = [
        assign("scale", 3),
        assign("first", 3),
        assign("kept", "a"),
        error(lambda: setattr(early, "p", nn.Parameter(torch.zeros(1)))),
        error(lambda: setattr(early, "m", nn.ReLU())),
        error(lambda: n.nothing),
        error(lambda: n.register_parameter("a.b", None)),
        error(lambda: n.register_parameter("", None)),
        error(lambda: n.register_parameter("forward", None)),
        error(lambda: n.register_parameter("q", torch.zeros(1))),
        error(lambda: n.register_parameter("q", 3)),
        error(lambda: n.register_parameter(3, None)),
        error(lambda: n.register_buffer("b.c", None)),
        error(lambda: n.register_buffer("forward", None)),
        error(lambda: n.register_buffer("r", 3)),
        error(lambda: n.add_module("x", 3)),
        error(lambda: n.add_module("forward", nn.ReLU())),
        error(lambda: n.add_module("a.b", nn.ReLU())),
        error(lambda: n.add_module("", nn.ReLU())),
        error(lambda: nn.Module()(1)),
        error(lambda: nn.Module(1)),
        error(lambda: nn.Module(a=1)),
    ]
    n.scale = None
    out.append([k for k, _ in n.named_parameters()])
    n.first = None
    out.append(n.first is None)
    del n.last
    out.append("last" in dict(n.named_modules()))
    del n.kept
    out.append(list(n.state_dict()))
    n.norm = nn.Parameter(torch.zeros(1))
    out.append([k for k, _ in n.named_parameters()])
    n.plain = 3
    out.append(n.__dict__["plain"])
    out.append([k for k in dir(n) if k in ("norm", "plain", "dropped")])
    return out


def case_apply():
    seen = []
    net().apply(lambda m: seen.append(type(m).__name__))
    return seen


def case_forward_hooks():
    layer = nn.Linear(2, 2)
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)
    log = []
    x = torch.tensor([1.0, 2.0])
    before = layer.register_forward_pre_hook(lambda m, a: (a[0] * 2,))
    after = layer.register_forward_hook(lambda m, a, o: log.append(o.tolist()) or o + 1)
    kw = layer.register_forward_pre_hook(lambda m, a, k: log.append(sorted(k)), with_kwargs=True)
    a = layer(x)
    before.remove()
    kw.remove()
    first = layer.register_forward_hook(lambda m, a, o: log.append("first"), prepend=True)
    b = layer(x)
    after.remove()
    first.remove()
    c = layer(input=x)
    bad = layer.register_forward_pre_hook(lambda m, a, k: 3, with_kwargs=True)
    e = error(lambda: layer(x))
    bad.remove()
    layer.register_forward_hook(lambda m, a, o: log.append("always"), always_call=True)
    error(lambda: layer(torch.zeros(5)))
    return a, b, c, e, log


def case_backward_hooks():
    log = []

    def watch(module, grad_input, grad_output):
        log.append([type(module).__name__, grad_input, grad_output])

    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(values(*p.shape))
    handles = [m.register_full_backward_hook(watch) for m in net]
    x = values(2, 2).requires_grad_()
    net(x).square().sum().backward()
    first = [x.grad, grads(net)]
    for h in handles:
        h.remove()
    x.grad = None
    net.zero_grad()
    net[1].register_full_backward_hook(lambda m, i, o: (i[0] * 2,))
    net[2].register_full_backward_pre_hook(lambda m, o: (o[0] * 3,))
    net(x).square().sum().backward()
    second = [x.grad, grads(net)]

    class Two(nn.Module):
        def forward(self, a, scale, b):
            return a * scale, b + a

    two = Two()
    two.register_full_backward_hook(watch)
    a, b = values(2).requires_grad_(), values(2)
    p, q = two(a, 3.0, b)
    (p.sum() + 2 * q.sum()).backward()
    plain = nn.Linear(2, 1)
    nn.init.ones_(plain.weight)
    plain.register_full_backward_hook(watch)
    _, warnings_ = warned(lambda: plain(b).sum().backward())
    plain.register_full_backward_hook(lambda m, i, o: (i[0], i[0]))
    wrong = error(lambda: plain(a).sum().backward())
    with torch.no_grad():
        quiet = plain(b).requires_grad
    return first, second, log, a.grad, warnings_, wrong, quiet


def case_deepcopy():
    n = net()
    m = copy.deepcopy(n)
    with torch.no_grad():
        m.scale.fill_(0)
    return n.scale, m.scale, type(m.scale).__name__, m.scale.requires_grad, m.first is not n.first


def case_parameter():
    p = nn.Parameter(torch.tensor([1.0, 2.0]))
    q = nn.Parameter(torch.zeros(2), requires_grad=False)
    (p * 3).sum().backward()
    return repr(p), repr(q), p.grad, type(p + 1).__name__, isinstance(p, torch.Tensor), p.is_leaf, type(p.data).__name__


def case_containers():
    s = nn.Sequential(OrderedDict([("a", nn.ReLU()), ("b", nn.Tanh()), ("c", nn.Sigmoid())]))
    out = [list(dict(s.named_children())), repr(s[1]), repr(s[-1]), repr(s[1:]), len(s), error(lambda: s[5])]
    t = nn.Sequential(nn.ReLU(), nn.Tanh())
    t.append(nn.Sigmoid()).insert(0, nn.Identity())
    out += [repr(t), repr(t.pop(1)), repr(t + t[:1]), repr(t[:1] * 2), error(lambda: t + 1), error(lambda: t * 0)]
    del t[0]
    t[0] = nn.ELU()
    out += [repr(t)]
    m = nn.ModuleList([nn.ReLU()])
    m.extend([nn.Tanh()])
    m += [nn.ELU()]
    m.insert(1, nn.SELU())
    del m[0]
    out += [repr(m), repr(m[1:]), repr(m + [nn.ReLU()]), [type(x).__name__ for x in m], error(lambda: m[3])]
    out += [error(lambda: m.extend(3)), error(lambda: m(1))]
    d = nn.ModuleDict([["x", nn.ReLU()], ["y", nn.Tanh()]])
    d.update({"z": nn.ELU()})
    out += [list(d), list(d.keys()), "x" in d, repr(d.pop("x")), len(d), repr(d["z"])]
    out += [error(lambda: d.update(3)), error(lambda: d.update([1])), error(lambda: d.update([[1, 2, 3]]))]
    p = nn.ParameterList([torch.ones(2)])
    p.append(torch.zeros(1))
    out += [len(p), [k for k, _ in p.named_parameters()], type(p[0]).__name__, len(p[:1]), error(lambda: p())]
    q = nn.ParameterDict({"b": torch.ones(2), "a": torch.zeros(1)})
    q["c"] = torch.ones(3)
    out += [list(q.keys()), [k for k, _ in q.named_parameters()], "a" in q, q.get("n"), len(q), error(lambda: q[3])]
    out += [list(q.pop("a").shape), q.popitem()[0], list((q | {"e": torch.ones(1)}).keys())]
    return out


# Layers: output, gradients of parameters and input, text

LAYERS = {
    "linear": ("nn.Linear(4, 3)", (2, 4)),
    "linear_nobias": ("nn.Linear(4, 3, bias=False)", (2, 5, 4)),
    "conv1d": ("nn.Conv1d(4, 6, 3, stride=2, padding=1, groups=2)", (2, 4, 9)),
    "conv2d": ("nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=1, dilation=(1, 2))", (2, 3, 8, 7)),
    "conv2d_same": ("nn.Conv2d(2, 2, 3, padding='same', bias=False)", (1, 2, 5, 5)),
    "conv2d_reflect": ("nn.Conv2d(2, 2, 3, padding=1, padding_mode='reflect')", (1, 2, 5, 5)),
    "conv2d_same_circular": ("nn.Conv2d(2, 2, 4, padding='same', padding_mode='circular')", (1, 2, 5, 5)),
    "conv3d": ("nn.Conv3d(2, 2, 2)", (1, 2, 3, 4, 3)),
    "conv_transpose1d": ("nn.ConvTranspose1d(2, 3, 3, stride=2)", (1, 2, 4)),
    "conv_transpose2d": ("nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, groups=2)", (1, 4, 4, 4)),
    "batchnorm1d": ("nn.BatchNorm1d(4)", (6, 4)),
    "batchnorm1d_3d": ("nn.BatchNorm1d(4, momentum=None)", (3, 4, 5)),
    "batchnorm2d": ("nn.BatchNorm2d(3, eps=1e-3, momentum=0.2)", (2, 3, 4, 4)),
    "batchnorm2d_plain": ("nn.BatchNorm2d(3, affine=False, track_running_stats=False)", (2, 3, 4, 4)),
    "layernorm": ("nn.LayerNorm(5)", (3, 5)),
    "layernorm_2d": ("nn.LayerNorm((4, 5), bias=False)", (3, 4, 5)),
    "rmsnorm": ("nn.RMSNorm(5)", (3, 5)),
    "groupnorm": ("nn.GroupNorm(2, 4)", (2, 4, 3, 3)),
    "instancenorm1d": ("nn.InstanceNorm1d(3)", (2, 3, 6)),
    "instancenorm2d": ("nn.InstanceNorm2d(3, affine=True, track_running_stats=True)", (2, 3, 4, 4)),
    "instancenorm2d_unbatched": ("nn.InstanceNorm2d(3, affine=True)", (3, 4, 4)),
    "localresponsenorm": ("nn.LocalResponseNorm(2)", (2, 4, 3, 3)),
    "maxpool1d": ("nn.MaxPool1d(2)", (2, 3, 6)),
    "maxpool2d": ("nn.MaxPool2d(3, stride=2, padding=1)", (2, 2, 7, 7)),
    "maxpool2d_ceil": ("nn.MaxPool2d((2, 3), ceil_mode=True, dilation=2)", (1, 2, 8, 9)),
    "avgpool1d": ("nn.AvgPool1d(2)", (2, 2, 6)),
    "avgpool2d": ("nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)", (1, 2, 7, 7)),
    "adaptiveavgpool1d": ("nn.AdaptiveAvgPool1d(3)", (1, 2, 7)),
    "adaptiveavgpool2d": ("nn.AdaptiveAvgPool2d((None, 3))", (1, 2, 5, 7)),
    "adaptiveavgpool2d_1": ("nn.AdaptiveAvgPool2d(1)", (1, 2, 5, 7)),
    "adaptivemaxpool2d": ("nn.AdaptiveMaxPool2d(2)", (1, 2, 5, 7)),
    "flatten": ("nn.Flatten()", (2, 3, 4)),
    "unflatten": ("nn.Unflatten(1, (2, 3))", (2, 6, 2)),
    "identity": ("nn.Identity(3, a=4)", (2, 3)),
    "unfold": ("nn.Unfold(2, padding=1, stride=2)", (1, 2, 4, 4)),
    "fold": ("nn.Fold((4, 4), 2, stride=2)", (1, 8, 4)),
    "pixelshuffle": ("nn.PixelShuffle(2)", (1, 8, 2, 3)),
    "pixelunshuffle": ("nn.PixelUnshuffle(2)", (1, 2, 4, 6)),
    "upsample_nearest": ("nn.Upsample(scale_factor=2)", (1, 2, 3, 3)),
    "upsample_bilinear": ("nn.Upsample(size=(5, 6), mode='bilinear', align_corners=True)", (1, 2, 3, 3)),
    "upsample_bicubic": ("nn.Upsample(scale_factor=1.5, mode='bicubic')", (1, 1, 4, 4)),
    "upsample_linear": ("nn.Upsample(scale_factor=2, mode='linear')", (1, 2, 4)),
    "upsamplingbilinear2d": ("nn.UpsamplingBilinear2d(scale_factor=2)", (1, 2, 3, 3)),
    "zeropad2d": ("nn.ZeroPad2d((1, 2, 0, 1))", (1, 1, 3, 3)),
    "constantpad1d": ("nn.ConstantPad1d(2, 3.5)", (1, 2, 3)),
    "reflectionpad2d": ("nn.ReflectionPad2d(1)", (1, 1, 3, 3)),
    "replicationpad2d": ("nn.ReplicationPad2d(2)", (1, 1, 3, 3)),
    "circularpad1d": ("nn.CircularPad1d(1)", (1, 2, 4)),
    "prelu": ("nn.PReLU(3)", (2, 3, 4)),
    "relu": ("nn.ReLU()", (3, 4)),
    "relu_inplace": ("nn.Sequential(nn.Linear(4, 4), nn.ReLU(inplace=True))", (3, 4)),
    "relu6": ("nn.Sequential(nn.Linear(4, 4), nn.ReLU6(True))", (3, 4)),
    "elu": ("nn.ELU(0.5)", (3, 4)),
    "celu": ("nn.CELU(0.7)", (3, 4)),
    "selu": ("nn.SELU()", (3, 4)),
    "gelu": ("nn.GELU()", (3, 4)),
    "gelu_tanh": ("nn.GELU(approximate='tanh')", (3, 4)),
    "silu": ("nn.SiLU()", (3, 4)),
    "mish": ("nn.Mish()", (3, 4)),
    "hardtanh": ("nn.Hardtanh(-0.5, 0.5)", (3, 4)),
    "hardsigmoid": ("nn.Hardsigmoid()", (3, 4)),
    "hardswish": ("nn.Hardswish()", (3, 4)),
    "hardshrink": ("nn.Hardshrink()", (3, 4)),
    "softshrink": ("nn.Softshrink(0.3)", (3, 4)),
    "tanhshrink": ("nn.Tanhshrink()", (3, 4)),
    "softplus": ("nn.Softplus(2)", (3, 4)),
    "softsign": ("nn.Softsign()", (3, 4)),
    "sigmoid": ("nn.Sigmoid()", (3, 4)),
    "tanh": ("nn.Tanh()", (3, 4)),
    "logsigmoid": ("nn.LogSigmoid()", (3, 4)),
    "leakyrelu": ("nn.LeakyReLU(0.2)", (3, 4)),
    "rrelu": ("nn.RReLU()", (3, 4)),
    "threshold": ("nn.Threshold(0.1, 20)", (3, 4)),
    "glu": ("nn.GLU()", (3, 4)),
    "softmax": ("nn.Softmax(dim=1)", (3, 4)),
    "softmin": ("nn.Softmin(dim=0)", (3, 4)),
    "logsoftmax": ("nn.LogSoftmax(dim=-1)", (3, 4)),
    "softmax2d": ("nn.Softmax2d()", (1, 3, 2, 2)),
    "dropout": ("nn.Dropout(0.3)", (20, 20)),
    "dropout1d": ("nn.Dropout1d(0.4)", (4, 5, 3)),
    "dropout2d": ("nn.Dropout2d(0.4)", (4, 5, 3, 2)),
    "alphadropout": ("nn.AlphaDropout(0.2)", (6, 7)),
    "featurealphadropout": ("nn.FeatureAlphaDropout(0.2)", (6, 7, 2)),
}


def _layer(text, shape):
    torch.manual_seed(3)
    layer = eval(text)
    x = values(*shape).requires_grad_()
    out = layer(x)
    weights = torch.cos(torch.arange(out.numel()).float()).reshape(out.shape)
    (out * weights).sum().backward()
    layer.eval()
    with torch.no_grad():
        evaluated = layer(x.detach())
    return out, x.grad, list(layer.state_dict().values()), grads(layer), evaluated, repr(layer)


for _name, _arguments in LAYERS.items():
    globals()[f"case_layer_{_name}"] = lambda arguments=_arguments: _layer(*arguments)


def case_bilinear():
    torch.manual_seed(0)
    m = nn.Bilinear(3, 4, 2)
    out = m(values(5, 3), values(5, 4))
    out.sum().backward()
    return out, grads(m), repr(m)


def case_embedding():
    torch.manual_seed(0)
    m = nn.Embedding(6, 3, padding_idx=-1)
    out = m(torch.tensor([[0, 2, 5], [1, 1, 5]]))
    (out * values(2, 3, 3)).sum().backward()
    n = nn.Embedding.from_pretrained(values(4, 2))
    k = nn.Embedding(4, 2, max_norm=0.5)
    return (
        out,
        grads(m),
        repr(m),
        repr(k),
        n(torch.tensor([3])),
        n.weight.requires_grad,
        k(torch.tensor([0, 1])),
        error(lambda: m(torch.tensor([6]))),
        error(lambda: nn.Embedding(3, 2, padding_idx=3)),
    )


def case_embedding_bag():
    torch.manual_seed(0)
    out = []
    for mode in ("sum", "mean", "max"):
        m = nn.EmbeddingBag(6, 3, mode=mode)
        y = m(torch.tensor([0, 2, 5, 1, 1]), torch.tensor([0, 2]))
        y.square().sum().backward()
        out += [y, grads(m), repr(m), m(torch.tensor([[0, 1], [2, 3]]))]
    m = nn.EmbeddingBag(6, 3, mode="sum")
    out.append(m(torch.tensor([0, 2]), torch.tensor([0]), per_sample_weights=torch.tensor([0.5, 2.0])))
    out.append(error(lambda: m(torch.tensor([0]))))
    out.append(error(lambda: m(torch.tensor([[0]]), torch.tensor([0]))[0].nothing)[:30])
    return out


def case_distances():
    a, b = values(3, 4), values(3, 4).flip(0) + 0.1
    return (
        nn.CosineSimilarity()(a, b),
        nn.PairwiseDistance(1.0)(a, b),
        nn.PairwiseDistance(keepdim=True)(a, b),
        F.cosine_similarity(a, b, dim=0),
        F.pairwise_distance(a, b, eps=0.0),
        F.pdist(a),
    )


def case_conv_transpose_output_size():
    torch.manual_seed(0)
    m = nn.ConvTranspose2d(1, 1, 3, stride=2)
    x = values(1, 1, 3, 3)
    return m(x, output_size=(8, 7)), error(lambda: m(x, output_size=(20, 7))), error(lambda: m(x, output_size=(7,)))


def case_layer_errors():
    return [
        error(f)
        for f in (
            lambda: nn.Conv2d(3, 4, 3, groups=2),
            lambda: nn.Conv2d(4, 3, 3, groups=2),
            lambda: nn.Conv2d(4, 4, 3, groups=0),
            lambda: nn.Conv2d(3, 4, 3, stride=2, padding="same"),
            lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="circular"),
            lambda: nn.BatchNorm2d(3)(values(2, 3)),
            lambda: nn.BatchNorm1d(3)(values(2, 3, 4, 1)),
            lambda: nn.BatchNorm1d(3)(values(1, 3)),
            lambda: nn.InstanceNorm2d(3)(values(2, 3)),
            lambda: nn.InstanceNorm2d(3, affine=True)(values(2, 4, 2, 2)),
            lambda: nn.InstanceNorm2d(3)(values(2, 3, 1, 1)),
            lambda: nn.GroupNorm(3, 4),
            lambda: nn.Dropout(1.5),
            lambda: F.dropout(values(2), -1),
            lambda: nn.Bilinear(0, 1, 1),
            lambda: F.hardtanh(values(2), 2.0, 1.0),
            lambda: F.glu(torch.tensor(1.0)),
            lambda: nn.Softmax2d()(values(2, 2)),
            lambda: F.group_norm(values(4), 2),
            lambda: F.dropout1d(values(2)),
            lambda: nn.Unflatten(0, 3),
        )
    ]


def case_rnn():
    out = []
    for text in (
        "nn.RNN(3, 4)",
        "nn.RNN(3, 4, nonlinearity='relu', bias=False)",
        "nn.LSTM(3, 4, num_layers=2, bidirectional=True)",
        "nn.LSTM(3, 4, proj_size=2, batch_first=True)",
        "nn.GRU(3, 4, num_layers=2, dropout=0.3, batch_first=True)",
    ):
        torch.manual_seed(5)
        m = eval(text)
        y, h = m(values(5, 2, 3))
        y.square().sum().backward()
        out += [y, h, grads(m), list(m.state_dict()), repr(m)]
    torch.manual_seed(5)
    m = nn.LSTM(3, 4)
    y, (h, c) = m(values(5, 3))
    out += [y, h, c]
    y, (h, c) = m(values(5, 2, 3), (values(1, 2, 4), values(1, 2, 4)))
    out += [y, h, c]
    out += [
        error(lambda: m(values(5, 2, 4))),
        error(lambda: m(values(5, 2, 3), (values(1, 3, 4), values(1, 2, 4)))),
        error(lambda: nn.RNN(3, 4, nonlinearity="x")),
        error(lambda: nn.GRU(3, 0)),
        error(lambda: nn.GRU(3, 4)(values(5, 2, 3), values(1, 3, 4))),
    ]
    torch.manual_seed(6)
    for cell in (nn.RNNCell(3, 4), nn.GRUCell(3, 4)):
        out += [cell(values(2, 3)), cell(values(3)), repr(cell)]
    cell = nn.LSTMCell(3, 4)
    out += [list(cell(values(2, 3))), repr(cell)]
    return out


def case_attention():
    out = []
    bools = torch.tensor([[False, False, True], [False, False, False]])
    causal = torch.triu(torch.ones(3, 3), diagonal=1).bool()
    for options in (
        {},
        dict(batch_first=True, bias=False),
        dict(kdim=5, vdim=2),
        dict(add_bias_kv=True, add_zero_attn=True),
    ):
        torch.manual_seed(0)
        m = nn.MultiheadAttention(4, 2, **options)
        batch_first = options.get("batch_first", False)
        q = values(2, 3, 4) if batch_first else values(3, 2, 4)
        k = values(3, 2, options.get("kdim", 4)) if not batch_first else q
        v = values(3, 2, options.get("vdim", 4)) if not batch_first else q
        y, w = m(q, k, v)
        (y * values(*y.shape)).sum().backward()
        out += [y, w, grads(m), list(m.state_dict()), repr(m)]
        y, w = m(q, k, v, key_padding_mask=bools, attn_mask=causal)
        out += [y, w]
        y, w = m(q, k, v, need_weights=False, attn_mask=causal)
        out += [y, w is None]
        y, w = m(q, k, v, average_attn_weights=False)
        out += [w]
    m = nn.MultiheadAttention(4, 2)
    out += [error(lambda: nn.MultiheadAttention(5, 2)), error(lambda: m(values(3, 2, 6), values(3, 2, 4), values(3, 2, 4)))]
    torch.manual_seed(1)
    m = nn.MultiheadAttention(4, 1)
    out += list(m(values(3, 4), values(3, 4), values(3, 4)))
    return out


def case_transformer_encoder():
    torch.manual_seed(0)
    out = []
    for options in (dict(), dict(batch_first=True, norm_first=True, activation="gelu")):
        layer = nn.TransformerEncoderLayer(4, 2, dim_feedforward=6, dropout=0.0, **options)
        m = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(4), enable_nested_tensor=False)
        x = values(3, 2, 4)
        y = m(x)
        # Not the squares' sum, which is the same for all: its gradients would be rounding errors.
        (y * values(*y.shape)).sum().backward()
        out += [y, list(m.state_dict()), [g for g in grads(m)][:6], repr(m)]
        out += [m(x, mask=torch.zeros(x.size(1 if options else 0), x.size(1 if options else 0)))]
    return out


# init


def case_init():
    torch.manual_seed(0)
    w = torch.empty(3, 5)
    out = [
        nn.init.uniform_(w, -1, 2).clone(),
        nn.init.normal_(w, 1, 0.5).clone(),
        nn.init.trunc_normal_(w, std=2.0).clone(),
        nn.init.constant_(w, 0.3).clone(),
        nn.init.ones_(w).clone(),
        nn.init.zeros_(w).clone(),
        nn.init.eye_(w).clone(),
        nn.init.xavier_uniform_(w, gain=nn.init.calculate_gain("relu")).clone(),
        nn.init.xavier_normal_(w).clone(),
        nn.init.kaiming_uniform_(w, mode="fan_in", nonlinearity="relu").clone(),
        nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu").clone(),
        nn.init.orthogonal_(w).clone(),
        nn.init.orthogonal_(torch.empty(5, 3), gain=2),
        nn.init.sparse_(torch.empty(6, 4), sparsity=0.4),
        nn.init.dirac_(torch.empty(4, 2, 3, 3), groups=2),
    ]
    out += [nn.init.calculate_gain(n) for n in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")]
    out += [nn.init.calculate_gain("leaky_relu", 0.2)]
    out += [
        error(lambda: nn.init.calculate_gain("x")),
        error(lambda: nn.init.calculate_gain("leaky_relu", True)),
        error(lambda: nn.init.eye_(torch.empty(3))),
        error(lambda: nn.init.dirac_(torch.empty(3, 3))),
        error(lambda: nn.init.xavier_uniform_(torch.empty(3))),
        error(lambda: nn.init.kaiming_uniform_(w, mode="x")),
        error(lambda: nn.init.orthogonal_(torch.empty(3))),
        error(lambda: nn.init.sparse_(torch.empty(3), 0.1)),
        warned(lambda: nn.init.kaiming_uniform_(torch.empty(0, 3)).numel()),
    ]
    p = nn.Parameter(torch.empty(2, 2))
    nn.init.constant_(p, 2.0)
    out.append(p)
    return out


# Losses

X, Y = values(4, 3), values(4, 3).flip(0)
CLASSES = torch.tensor([0, 2, 1, 2])
SIGNS = torch.tensor([1.0, -1.0, 1.0, 1.0])
W3 = torch.tensor([0.5, 1.0, 2.0])

LOSSES = {
    "l1": ("L1Loss", "l1_loss", "{}", (X, Y)),
    "mse": ("MSELoss", "mse_loss", "{}", (X, Y)),
    "smooth_l1": ("SmoothL1Loss", "smooth_l1_loss", "dict(beta=0.4)", (X, Y)),
    "smooth_l1_0": ("SmoothL1Loss", "smooth_l1_loss", "dict(beta=0.0)", (X, Y)),
    "huber": ("HuberLoss", "huber_loss", "dict(delta=0.3)", (X, Y)),
    "cross_entropy": ("CrossEntropyLoss", "cross_entropy", "dict(weight=W3, label_smoothing=0.1)", (X, CLASSES)),
    "cross_entropy_ignore": ("CrossEntropyLoss", "cross_entropy", "dict(ignore_index=2)", (X, CLASSES)),
    "cross_entropy_soft": ("CrossEntropyLoss", "cross_entropy", "dict(weight=W3)", (X, Y.softmax(1))),
    "cross_entropy_2d": ("CrossEntropyLoss", "cross_entropy", "{}", (values(2, 3, 2, 2), torch.ones(2, 2, 2).long())),
    "nll": ("NLLLoss", "nll_loss", "dict(weight=W3, ignore_index=1)", (X.log_softmax(1), CLASSES)),
    "poisson_nll": ("PoissonNLLLoss", "poisson_nll_loss", "dict(full=True)", (X, Y.abs() * 5)),
    "poisson_nll_plain": ("PoissonNLLLoss", "poisson_nll_loss", "dict(log_input=False)", (X.abs(), Y.abs())),
    "gaussian_nll": ("GaussianNLLLoss", "gaussian_nll_loss", "dict(full=True)", (X, Y, Y.abs() + 0.1)),
    "gaussian_nll_rows": ("GaussianNLLLoss", "gaussian_nll_loss", "{}", (X, Y, torch.ones(4, 1) * 0.3)),
    "kl_div": ("KLDivLoss", "kl_div", "{}", (X.log_softmax(1), Y.softmax(1))),
    "kl_div_log": ("KLDivLoss", "kl_div", "dict(log_target=True)", (X.log_softmax(1), Y.log_softmax(1))),
    "bce": ("BCELoss", "binary_cross_entropy", "dict(weight=W3)", (X.sigmoid(), Y.abs())),
    "bce_logits": (
        "BCEWithLogitsLoss",
        "binary_cross_entropy_with_logits",
        "dict(weight=W3, pos_weight=W3)",
        (X, Y.abs()),
    ),
    "margin_ranking": ("MarginRankingLoss", "margin_ranking_loss", "dict(margin=0.2)", (X[:, 0], X[:, 1], SIGNS)),
    "hinge_embedding": ("HingeEmbeddingLoss", "hinge_embedding_loss", "dict(margin=0.7)", (X[:, 0], SIGNS)),
    "multi_margin": ("MultiMarginLoss", "multi_margin_loss", "dict(p=2, margin=0.5, weight=W3)", (X, CLASSES)),
    "multilabel_margin": (
        "MultiLabelMarginLoss",
        "multilabel_margin_loss",
        "{}",
        (X, torch.tensor([[0, -1, 1], [1, 2, -1], [2, 0, 1], [-1, 0, 0]])),
    ),
    "multilabel_soft_margin": (
        "MultiLabelSoftMarginLoss",
        "multilabel_soft_margin_loss",
        "dict(weight=W3)",
        (X, (Y > 0).float()),
    ),
    "soft_margin": ("SoftMarginLoss", "soft_margin_loss", "{}", (X, Y.sign())),
    "cosine_embedding": ("CosineEmbeddingLoss", "cosine_embedding_loss", "dict(margin=0.1)", (X, Y + 0.1, SIGNS)),
    "triplet_margin": (
        "TripletMarginLoss",
        "triplet_margin_loss",
        "dict(margin=0.5, p=2, swap=True)",
        (X, Y + 0.1, X.roll(1, 0)),
    ),
    "triplet_distance": (
        "TripletMarginWithDistanceLoss",
        "triplet_margin_with_distance_loss",
        "dict(distance_function=lambda a, b: (a - b).abs().sum(1), margin=0.5, swap=True)",
        (X, Y + 0.1, X.roll(1, 0)),
    ),
}


def _loss(module, function, options, inputs):
    out = []
    for reduction in ("none", "mean", "sum"):
        keywords = dict(eval(options) or {}, reduction=reduction)
        x = inputs[0].clone().requires_grad_()
        value, _ = warned(lambda: getattr(F, function)(x, *inputs[1:], **keywords))
        (value * torch.arange(1, value.numel() + 1).reshape(value.shape)).sum().backward()
        again, _ = warned(lambda: getattr(nn, module)(**keywords)(inputs[0], *inputs[1:]))
        out += [value, x.grad, again]
    return out


for _name, _arguments in LOSSES.items():
    globals()[f"case_loss_{_name}"] = lambda arguments=_arguments: _loss(*arguments)


def case_loss_ctc():
    x = values(6, 2, 5).log_softmax(2)
    targets = torch.tensor([[1, 2, 2], [3, 4, 0]])
    out = []
    for reduction in ("none", "mean", "sum"):
        y = x.clone().requires_grad_()
        loss = F.ctc_loss(y, targets, (6, 5), (3, 2), reduction=reduction)
        loss.sum().backward()
        out += [loss, y.grad]
    flat = torch.tensor([1, 2, 2, 3, 4])
    lengths = torch.tensor([6, 5]), torch.tensor([3, 2])
    out += [nn.CTCLoss()(x, flat, *lengths), nn.CTCLoss(blank=4)(x, torch.tensor([1, 2, 2, 3, 0]), *lengths)]
    out += [nn.CTCLoss(zero_infinity=True)(x, flat, (2, 5), (3, 2))]
    out += [nn.CTCLoss()(x[:, 0], flat[:3], torch.tensor(6), torch.tensor(3))]
    out += [error(lambda: F.ctc_loss(x, targets, (6, 9), (3, 2)))]
    return out


def case_loss_warnings():
    return (
        warned(lambda: F.mse_loss(X, Y[:1])),
        warned(lambda: F.l1_loss(X, Y[:1])),
        warned(lambda: F.smooth_l1_loss(X, Y[:1])),
        warned(lambda: F.huber_loss(X, Y[:1])),
        warned(lambda: F.kl_div(X, Y.softmax(1))),
        warned(lambda: F.mse_loss(X, Y, size_average=False)),
        warned(lambda: F.mse_loss(X, Y, reduce=False)),
        warned(lambda: F.binary_cross_entropy(X.sigmoid(), Y.abs(), size_average=True)),
        warned(lambda: nn.L1Loss(size_average=False).reduction),
        warned(lambda: F.softmax(X)),
        warned(lambda: F.log_softmax(values(2, 2, 2))),
        warned(lambda: F.kl_div(X, Y.softmax(1), reduction="batchmean")),
        warned(lambda: F.nll_loss(X, CLASSES, reduction="elementwise_mean")),
        warned(lambda: F.upsample(values(1, 1, 2, 2), scale_factor=2)),
        warned(lambda: F.grid_sample(values(1, 1, 3, 3), values(1, 2, 2, 2))),
        warned(lambda: F.dropout2d(values(2, 2), 0.0)),
    )


def case_loss_errors():
    return [
        error(f)
        for f in (
            lambda: F.mse_loss(X, Y, reduction="x"),
            lambda: F.cross_entropy(X, torch.tensor([0, 3, 1, 1])),
            lambda: F.cross_entropy(X, CLASSES[:3]),
            lambda: F.cross_entropy(X, CLASSES, label_smoothing=2.0),
            lambda: F.binary_cross_entropy(X.sigmoid(), Y[:2].abs()),
            lambda: F.binary_cross_entropy_with_logits(X, Y[:2]),
            lambda: F.binary_cross_entropy(X + 3, Y.abs()),
            lambda: F.margin_ranking_loss(X, X[:, 0], SIGNS),
            lambda: F.multi_margin_loss(X, CLASSES, p=3),
            lambda: F.multi_margin_loss(X, CLASSES, weight=X),
            lambda: F.triplet_margin_loss(X, X, X, margin=-1.0),
            lambda: nn.TripletMarginLoss(margin=0),
            lambda: F.triplet_margin_with_distance_loss(X, X, X, reduction="x"),
            lambda: F.triplet_margin_with_distance_loss(X, X, X[0]),
            lambda: F.gaussian_nll_loss(X, Y, -Y.abs() - 1),
            lambda: F.gaussian_nll_loss(X, Y, torch.ones(7)),
            lambda: F.gaussian_nll_loss(X, Y, torch.ones(4, 3), reduction="x"),
            lambda: F.poisson_nll_loss(X, Y, reduction="x"),
            lambda: F.multilabel_soft_margin_loss(X, Y, reduction="x"),
            lambda: F.mse_loss(X, Y, weight=W3),
            lambda: F.l1_loss(X, Y, reduction="x", weight=Y),
        )
    ]


def case_loss_weighted():
    w = Y.abs()
    return [
        f(X, Y, reduction=r, weight=w) for f in (F.mse_loss, F.l1_loss, F.huber_loss) for r in ("none", "mean", "sum")
    ]


# functional


def case_functional():
    image = values(1, 2, 4, 4)
    theta = torch.tensor([[[0.8, 0.1, 0.1], [-0.2, 0.9, 0.0]]])
    torch.manual_seed(0)
    gumbel = [F.gumbel_softmax(X, tau=0.7), F.gumbel_softmax(X, hard=True)]
    return (
        gumbel,
        F.one_hot(CLASSES),
        F.one_hot(CLASSES, num_classes=4),
        F.normalize(X),
        F.normalize(X, p=1, dim=0),
        F.pad(X, (1, 1)),
        F.pad(image, (1, 1, 2, 0), mode="reflect"),
        F.pad(X, (0, 1), value=3.0),
        F.interpolate(image, scale_factor=2),
        F.interpolate(image, size=3, mode="bilinear"),
        F.interpolate(image, size=(6, 2), mode="area"),
        F.interpolate(image, scale_factor=0.6, mode="bicubic", recompute_scale_factor=True),
        F.unfold(image, 2),
        F.fold(F.unfold(image, 2), (4, 4), 2),
        F.affine_grid(theta, (1, 2, 3, 3), align_corners=False),
        F.grid_sample(image, F.affine_grid(theta, (1, 2, 3, 3), align_corners=True), align_corners=True),
        F.grid_sample(image, values(1, 2, 2, 2), mode="nearest", padding_mode="border", align_corners=False),
        F.scaled_dot_product_attention(values(1, 3, 4), values(1, 5, 4), values(1, 5, 4)),
        F.scaled_dot_product_attention(values(1, 3, 4), values(1, 3, 4), values(1, 3, 4), is_causal=True),
        F.embedding(CLASSES, X),
        F.softplus(X, 2, 1),
        F.logsigmoid(X),
        F.prelu(X, torch.tensor([0.2])),
        F.leaky_relu(X.clone(), 0.3, inplace=True),
        F.threshold(X, 0.1, 5),
        F.lp_pool2d(image.abs(), 2, 2),
        F.max_pool2d(image, 2, return_indices=True)[1],
        F.adaptive_max_pool2d(image, 2, return_indices=True)[1],
        F.batch_norm(X, torch.zeros(3), torch.ones(3)),
        F.layer_norm(X, (3,)),
        F.local_response_norm(values(2, 4, 3), 3),
        F.softmin(X, dim=1),
        F.softmax(X, dim=1, dtype=torch.float64),
        F.conv2d(image, values(3, 2, 2, 2), padding="valid"),
        F.linear(X, values(2, 3)),
        F.bilinear(X, X, values(2, 3, 3)),
    )


def case_functional_errors():
    image = values(1, 2, 4, 4)
    return [
        error(f)
        for f in (
            lambda: F.interpolate(image),
            lambda: F.interpolate(image, size=3, scale_factor=2),
            lambda: F.interpolate(image, size=(3, 3, 3)),
            lambda: F.interpolate(image, scale_factor=(3, 3, 3)),
            lambda: F.interpolate(image, size=3, align_corners=True),
            lambda: F.interpolate(image, size=3, mode="linear"),
            lambda: F.interpolate(image, size=3, mode="trilinear"),
            lambda: F.interpolate(image, size=3, mode="x"),
            lambda: F.interpolate(image, size=(1.5, 2)),
            lambda: F.grid_sample(image, image, mode="x", align_corners=False),
            lambda: F.grid_sample(image, image, padding_mode="x", align_corners=False),
            lambda: F.affine_grid(torch.zeros(1, 2, 3), (1, 2, 3), align_corners=False),
            lambda: F.affine_grid(torch.zeros(1, 2, 2), (1, 2, 3, 3), align_corners=False),
            lambda: F.batch_norm(X, None, None, eps=0.0, training=True),
            lambda: F.embedding(CLASSES, X, padding_idx=9),
        )
    ]


def case_clip():
    n = net()

    def fill():
        n.zero_grad()
        n(values(5, 4)).square().sum().backward()

    fill()
    norm = nn.utils.clip_grad_norm_(n.parameters(), 1.0)
    a = grads(n)
    fill()
    norm1 = nn.utils.clip_grad_norm_(n.parameters(), 0.5, norm_type=1)
    norm_inf = nn.utils.clip_grad_norm_(n.parameters(), 100.0, norm_type=float("inf"))
    nn.utils.clip_grad_value_(n.parameters(), 0.001)
    b = grads(n)
    vector = nn.utils.parameters_to_vector(n.parameters())
    nn.utils.vector_to_parameters(torch.zeros_like(vector), n.parameters())
    return norm, a, norm1, norm_inf, b, vector, n.scale


def case_max_unpool():
    images = {1: values(2, 3, 6), 2: values(2, 3, 4, 6), 3: values(1, 2, 4, 4, 4)}
    found = []
    for axes, image in images.items():
        image.requires_grad_()
        pooled, indices = getattr(nn, f"MaxPool{axes}d")(2, return_indices=True)(image)
        layer = getattr(nn, f"MaxUnpool{axes}d")(2)
        restored = layer(pooled, indices)
        (restored * values(*restored.shape)).sum().backward()
        found.append((repr(layer), restored, image.grad))
    one, last = torch.ones(1, 1, 1, 1), torch.tensor([[[[3]]]])
    return (
        found,
        F.max_unpool2d(one, last, 2, output_size=(3, 3)),
        F.max_unpool2d(one, last, 2, output_size=(1, 1, 3, 3)),
        [
            error(f)
            for f in (
                lambda: F.max_unpool2d(one, last + 17, 2),
                lambda: F.max_unpool2d(one, last - 4, 2),
                lambda: F.max_unpool2d(one, last.float(), 2),
                lambda: F.max_unpool2d(one, last[0], 2),
                lambda: F.max_unpool2d(torch.ones(1, 1, 2, 2), last, 2),
                lambda: F.max_unpool1d(one[0], last[0], 2),
                lambda: F.max_unpool3d(one[None], last[None] + 5, 2),
                lambda: F.max_unpool2d(one, last, 2, output_size=(9, 9)),
                lambda: F.max_unpool2d(one, last, 2, output_size=(3,)),
            )
        ],
    )


# Sequences


def sequences():
    return [values(4, 3), values(2, 3) + 1, values(5, 3) - 1]


def case_pad_and_pack():
    padded = R.pad_sequence(sequences(), batch_first=True, padding_value=-1.0)
    left = R.pad_sequence(sequences(), padding_side="left")
    packed = R.pack_padded_sequence(padded, [4, 2, 5], batch_first=True, enforce_sorted=False)
    back, lengths = R.pad_packed_sequence(packed, batch_first=True, padding_value=7, total_length=6)
    labels = R.pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4, 5]), torch.tensor([6])])
    x = values(3, 2, 2).requires_grad_()
    (R.pack_padded_sequence(x, torch.tensor([3, 1])).data * values(4, 2)).sum().backward()
    return (
        padded,
        left,
        packed,
        isinstance(packed, tuple),
        back,
        lengths,
        repr(labels),
        R.pad_packed_sequence(labels),
        R.unpad_sequence(padded, lengths, batch_first=True),
        R.unpack_sequence(packed),
        str(packed.to(torch.float64).data.dtype),
        packed.double().data,
        x.grad,
        [
            error(f)
            for f in (
                lambda: R.pack_padded_sequence(padded, [4, 2, 5], batch_first=True),
                lambda: R.pack_padded_sequence(padded, [4, 2], batch_first=True),
                lambda: R.pack_padded_sequence(padded, [4, 2, 0], batch_first=True),
                lambda: R.pack_padded_sequence(torch.zeros(0, 2), [1, 1]),
                lambda: R.pad_packed_sequence(packed, total_length=3),
                lambda: R.pad_sequence(3),
            )
        ],
    )


def case_packed_networks():
    found = []
    for make in (
        lambda: nn.RNN(3, 4),
        lambda: nn.RNN(3, 4, nonlinearity="relu", bias=False),
        lambda: nn.GRU(3, 4, num_layers=2, bidirectional=True),
        lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True),
        lambda: nn.LSTM(3, 4, proj_size=2),
    ):
        torch.manual_seed(0)
        network = make()
        for enforced in (False, True):
            parts = sequences() if not enforced else sorted(sequences(), key=len, reverse=True)
            packed = R.pack_sequence(parts, enforce_sorted=enforced)
            output, state = network(packed)
            padded, lengths = R.pad_packed_sequence(output)
            network.zero_grad()
            (padded * values(*padded.shape)).sum().backward()
            found.append((output, state, lengths, grads(network)))
    network = nn.GRU(3, 4)
    torch.manual_seed(1)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    packed = R.pack_sequence(sequences(), enforce_sorted=False)
    return (
        found,
        network(packed, values(1, 3, 4)),
        error(lambda: network(packed, values(1, 2, 4))),
        error(lambda: nn.GRU(2, 4)(packed)),
    )


def case_checkpoint():
    layers = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    for parameter in layers.parameters():
        nn.init.constant_(parameter, 0.25)
    x = values(5, 4).requires_grad_()
    out = checkpoint(lambda a, scale: layers(a) * scale, x, 2.0, use_reentrant=False)
    out.square().sum().backward()
    again = checkpoint_sequential(layers, 2, x, use_reentrant=False)
    return out, x.grad, grads(layers), again, error(lambda: checkpoint(net, x, use_reentrant=False, more=1))


def case_spectral_norm():
    found = []
    for make, x in (
        (lambda: nn.Linear(4, 3), values(2, 4)),
        (lambda: nn.Conv2d(2, 3, 2), values(1, 2, 4, 4)),
        (lambda: nn.ConvTranspose2d(2, 3, 2), values(1, 2, 4, 4)),
    ):
        torch.manual_seed(0)
        layer = nn.utils.spectral_norm(make(), n_power_iterations=2)
        first = layer(x)
        second = layer(x)
        (first.square().sum() + second.sum()).backward()
        layer.eval()
        state = {k: v.clone() for k, v in layer.state_dict().items()}
        found.append((first, second, layer(x), state, grads(layer), repr(layer)))
        found.append((nn.utils.remove_spectral_norm(layer).weight, list(layer.state_dict()), layer(x)))
    return (
        found,
        error(lambda: nn.utils.spectral_norm(nn.utils.spectral_norm(nn.Linear(2, 2)))),
        error(lambda: nn.utils.remove_spectral_norm(nn.Linear(2, 2))),
        error(lambda: nn.utils.spectral_norm(nn.Linear(2, 2, bias=False), "bias")),
        error(lambda: nn.utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0)),
    )


def case_weight_norm():
    found = []
    for make, x, dim in (
        (lambda: nn.Linear(4, 3), values(2, 4), 0),
        (lambda: nn.Linear(4, 3), values(2, 4), None),
        (lambda: nn.Conv2d(2, 3, 2), values(1, 2, 4, 4), 1),
    ):
        torch.manual_seed(0)
        layer, _ = warned(lambda: nn.utils.weight_norm(make(), dim=dim))
        out = layer(x)
        out.square().sum().backward()
        found.append((out, [k for k, _ in layer.named_parameters()], grads(layer)))
        found.append((nn.utils.remove_weight_norm(layer).weight, [k for k, _ in layer.named_parameters()]))
    return found, error(lambda: nn.utils.remove_weight_norm(nn.Linear(2, 2)))
