"""Scripts over torch.optim and torch.utils.data, see nn_cases.py."""

import copy
import warnings

import torch
import torch.nn as nn
from nn_cases import error, values, warned
from torch.optim import lr_scheduler
from torch.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    random_split,
)


def start():
    """A parameter in a matrix, one in a vector, one that is not contiguous, one without gradient."""
    return [
        nn.Parameter(values(3, 4)),
        nn.Parameter(values(5) + 0.3),
        nn.Parameter(values(2, 3).t()),
        nn.Parameter(torch.ones(2)),
    ]


def objective(params):
    a, b, c, _ = params
    return ((a * 1.3 - 0.2) ** 2).sum() + (b**4).mean() + (c.sin() * c).sum()


def descend(make, steps=50):
    params = start()
    optimizer = make(params)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = objective(params)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, params, list(optimizer.state_dict()["state"].values()), optimizer


OPTIMIZERS = {
    "sgd": "torch.optim.SGD(p, lr=0.02)",
    "sgd_decay": "torch.optim.SGD(p, lr=0.02, weight_decay=0.1)",
    "sgd_momentum": "torch.optim.SGD(p, lr=0.01, momentum=0.9, dampening=0.1, weight_decay=0.01)",
    "sgd_nesterov": "torch.optim.SGD(p, lr=0.01, momentum=0.8, nesterov=True)",
    "sgd_maximize": "torch.optim.SGD(p, lr=0.001, momentum=0.5, maximize=True)",
    "adam": "torch.optim.Adam(p, lr=0.02)",
    "adam_options": "torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1, amsgrad=True)",
    "adam_maximize": "torch.optim.Adam(p, lr=0.01, maximize=True)",
    "adamw": "torch.optim.AdamW(p, lr=0.02)",
    "adamw_amsgrad": "torch.optim.AdamW(p, lr=0.02, weight_decay=0.2, amsgrad=True)",
    "rmsprop": "torch.optim.RMSprop(p, lr=0.01)",
    "rmsprop_options": "torch.optim.RMSprop(p, lr=0.005, alpha=0.9, momentum=0.5, centered=True, weight_decay=0.1)",
    "adagrad": "torch.optim.Adagrad(p, lr=0.1)",
    "adagrad_options": "torch.optim.Adagrad(p, lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.5)",
}


def _optimizer(text):
    losses, params, states, optimizer = descend(lambda p: eval(text))
    return losses, params, states, repr(optimizer)


for _name, _text in OPTIMIZERS.items():
    globals()[f"case_optimizer_{_name}"] = lambda text=_text: _optimizer(text)


def case_groups():
    a, b = nn.Linear(2, 3), nn.Linear(3, 1)
    optimizer = torch.optim.SGD(
        [{"params": a.parameters(), "lr": 0.5}, {"params": [b.weight]}], lr=0.1, momentum=0.9
    )
    optimizer.add_param_group({"params": b.bias, "momentum": 0.0})
    named = torch.optim.Adam(b.named_parameters())
    return (
        repr(optimizer),
        [len(g["params"]) for g in optimizer.param_groups],
        [{k: v for k, v in g.items()} for g in optimizer.state_dict()["param_groups"]],
        named.param_groups[0]["param_names"],
        [
            error(f)
            for f in (
                lambda: optimizer.add_param_group({"params": [a.weight]}),
                lambda: optimizer.add_param_group({"params": {a.weight}}),
                lambda: optimizer.add_param_group(3),
                lambda: torch.optim.SGD([], lr=0.1),
                lambda: torch.optim.SGD([3], lr=0.1),
                lambda: torch.optim.SGD(a.weight, lr=0.1),
                lambda: torch.optim.SGD([a.weight * 2], lr=0.1),
                lambda: torch.optim.SGD([a.weight], lr=-1),
                lambda: torch.optim.SGD([a.weight], lr=0.1, nesterov=True),
                lambda: torch.optim.Adam([a.weight], betas=(1.0, 0.9)),
                lambda: torch.optim.Adam([a.weight], eps=-1.0),
                lambda: torch.optim.RMSprop([a.weight], alpha=-1.0),
                lambda: torch.optim.Adagrad([a.weight], lr_decay=-1.0),
                lambda: torch.optim.AdamW([a.weight], weight_decay=-1.0),
            )
        ],
    )


def case_optimizer_state():
    make = lambda p: torch.optim.Adam(p, lr=0.05)
    _, params, _, optimizer = descend(make, 5)
    saved = copy.deepcopy(optimizer.state_dict())
    other_params = [nn.Parameter(p.detach().clone()) for p in params]
    other = torch.optim.Adam(other_params, lr=0.9)
    other.load_state_dict(saved)
    for ps, o in ((params, optimizer), (other_params, other)):
        for _ in range(3):
            o.zero_grad()
            objective(ps).backward()
            o.step()
    three = torch.optim.Adam(params[:3])
    return (
        params,
        other_params,
        sorted(saved["state"][0]),
        saved["state"][0]["step"],
        saved["param_groups"][0]["params"],
        other.param_groups[0]["lr"],
        error(lambda: three.load_state_dict(saved)),
        error(lambda: three.load_state_dict({"state": {}, "param_groups": []})),
    )


def case_closure_and_hooks():
    params = start()
    optimizer = torch.optim.SGD(params, lr=0.01)
    log = []
    optimizer.register_step_pre_hook(lambda o, a, k: log.append("before"))
    handle = optimizer.register_step_post_hook(lambda o, a, k: log.append("after"))

    def closure():
        optimizer.zero_grad()
        loss = objective(params)
        loss.backward()
        return loss

    first = optimizer.step(closure)
    handle.remove()
    second = optimizer.step(closure)
    optimizer.zero_grad(set_to_none=False)
    return first, second, log, params[0].grad


COMPLEX = {
    "sgd": "torch.optim.SGD(p, lr=0.1, momentum=0.5, weight_decay=0.1)",
    "adam": "torch.optim.Adam(p, lr=0.1, amsgrad=True, weight_decay=0.1)",
    "adamw": "torch.optim.AdamW(p, lr=0.1)",
    "adamax": "torch.optim.Adamax(p, lr=0.1, weight_decay=0.1)",
    "nadam": "torch.optim.NAdam(p, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True)",
    "radam": "torch.optim.RAdam(p, lr=0.1, maximize=True)",
    "adagrad": "torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.5)",
    "adadelta": "torch.optim.Adadelta(p, lr=0.1, weight_decay=0.1)",
    "rmsprop": "torch.optim.RMSprop(p, lr=0.1)",
    "rmsprop_options": "torch.optim.RMSprop(p, lr=0.1, momentum=0.5, centered=True, weight_decay=0.1)",
    "rprop": "torch.optim.Rprop(p, lr=0.1)",
    "asgd": "torch.optim.ASGD(p, lr=0.1, t0=3, weight_decay=0.1)",
}


def _complex_optimizer(text):
    """Complex parameters beside a real one: a number, a matrix that is not contiguous."""
    a = nn.Parameter(torch.ones((), dtype=torch.complex128))
    b = nn.Parameter(torch.complex(values(2, 3), values(2, 3) - 0.4).t())
    c = nn.Parameter(values(3))
    optimizer = eval(text, {"torch": torch, "p": [a, b, c]})
    for step in range(9):
        optimizer.zero_grad()
        loss = (a * torch.tensor(1j)).real + (a * a).imag
        loss = loss + (b * b.conj()).real.sum() + (b.mT @ c.to(b.dtype)).imag.sum()
        loss.backward()
        optimizer.step()
        if step == 4:
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    state = optimizer.state_dict()["state"]
    kept = [{k: (str(v.dtype), _parts(v)) for k, v in s.items()} for s in state.values()]
    return [_parts(x) for x in (a, b, c)], kept


def _parts(x):
    return torch.view_as_real(x) if x.is_complex() else x


for _name, _text in COMPLEX.items():
    globals()[f"case_complex_{_name}"] = lambda text=_text: _complex_optimizer(text)


def case_complex_lbfgs():
    found = []
    for search in (None, "strong_wolfe"):
        w = nn.Parameter(torch.tensor([0.5 + 1j, -0.3 + 0.2j], dtype=torch.complex128))
        o = torch.optim.LBFGS([w], lr=0.5, max_iter=5, line_search_fn=search)

        def closure():
            o.zero_grad()
            loss = (w.real**4).sum() + ((w.imag - w.real) ** 2).sum()
            loss.backward()
            return loss

        found.append(([o.step(closure) for _ in range(3)], _parts(w)))
    return found


def case_rprop_in_double():
    """In Python's numbers, to more digits than are recorded."""
    w = nn.Parameter(torch.zeros(3, dtype=torch.float64))
    o = torch.optim.Rprop([w], lr=0.1, etas=(0.3, 1.7))
    for sign in (1.0, 1.0, -1.0, -1.0, -1.0):
        w.grad = torch.tensor([sign, 1.0, float("nan")], dtype=torch.float64)
        o.step()
    turned, size = 0.0, 0.1
    for factor, sign in ((1, -1), (1.7, -1), (0.3, 0), (1, 1), (1.7, 1)):
        size *= factor
        turned += sign * size
    straight = -sum(0.1 * 1.7**i for i in range(5))
    return abs(w[0].item() - turned) < 1e-12, abs(w[1].item() - straight) < 1e-12, w


def case_options_together():
    p = [nn.Parameter(torch.ones(2))]
    one, two = torch.tensor(0.1), torch.tensor([0.3, 0.2])
    weighted = "Adam Adamax NAdam RAdam".split()
    kinds = "SGD Adam AdamW Adagrad Adadelta Adamax NAdam RAdam RMSprop Rprop ASGD LBFGS".split()
    return (
        [error(lambda: getattr(torch.optim, kind)(p, lr=two)) for kind in kinds],
        [error(lambda: getattr(torch.optim, kind)(p, lr=-one)) for kind in kinds],
        [error(lambda: getattr(torch.optim, kind)(p, lr=one.reshape(1))) for kind in kinds],
        [error(lambda: getattr(torch.optim, kind)(p, lr=one, foreach=True)) for kind in kinds[:-1]],
        [error(lambda: getattr(torch.optim, kind)(p, fused=True, foreach=True)) for kind in kinds[:4]],
        [error(lambda: getattr(torch.optim, kind)(p, fused=True, differentiable=True)) for kind in kinds[:4]],
        [error(lambda: getattr(torch.optim, kind)(p, betas=(0.9, 1.0))) for kind in weighted],
    )


class Sign(torch.optim.Optimizer):
    """One of the script's own."""

    def __init__(self, params, lr=0.1):
        super().__init__(params, dict(lr=lr))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self.state[p]["count"] = self.state[p].get("count", 0) + 1
                    p.add_(p.grad.sign(), alpha=-group["lr"])


def valley(x):
    return (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2 + (x[2:] ** 4).sum()


def case_lbfgs():
    found = []
    for options in (
        dict(),
        dict(lr=0.5, max_iter=4, history_size=2),
        dict(line_search_fn="strong_wolfe"),
        dict(line_search_fn="strong_wolfe", max_iter=3, max_eval=4),
        dict(lr=3, line_search_fn="strong_wolfe", max_iter=5, history_size=3),
    ):
        x = nn.Parameter(torch.tensor([-0.5, 0.8, 0.3, -0.2], dtype=torch.float64))
        unused = nn.Parameter(torch.ones(2, dtype=torch.float64))
        o = torch.optim.LBFGS([x, unused], **options)

        def closure():
            o.zero_grad()
            loss = valley(x)
            loss.backward()
            return loss

        losses = [o.step(closure) for _ in range(4)]
        state = o.state_dict()["state"][0]
        found.append((losses, x, sorted(state), state["func_evals"], state["n_iter"], repr(o)))
    p = nn.Parameter(torch.ones(1))
    return (
        found,
        error(lambda: torch.optim.LBFGS([{"params": [p]}, {"params": [nn.Parameter(torch.ones(1))]}])),
        error(lambda: torch.optim.LBFGS([p], lr=-1)),
        error(lambda: torch.optim.LBFGS([p], line_search_fn="x").step(lambda: (p.sum().backward(), p.sum())[1])),
    )


def case_own_optimizer():
    losses, params, states, optimizer = descend(lambda p: Sign(p, lr=0.01), 5)
    return losses, params, states, repr(optimizer)


# Schedules

SCHEDULES = {
    "step": "lr_scheduler.StepLR(o, 3, gamma=0.5)",
    "multistep": "lr_scheduler.MultiStepLR(o, [2, 5, 5])",
    "constant": "lr_scheduler.ConstantLR(o, factor=0.5, total_iters=4)",
    "linear": "lr_scheduler.LinearLR(o, start_factor=0.2, total_iters=6)",
    "exponential": "lr_scheduler.ExponentialLR(o, 0.9)",
    "polynomial": "lr_scheduler.PolynomialLR(o, total_iters=8, power=2.0)",
    "cosine": "lr_scheduler.CosineAnnealingLR(o, T_max=5, eta_min=0.01)",
    "restarts": "lr_scheduler.CosineAnnealingWarmRestarts(o, 3, T_mult=2)",
    "lambda": "lr_scheduler.LambdaLR(o, lambda e: 0.95**e)",
    "lambdas": "lr_scheduler.LambdaLR(o, [lambda e: 1 / (1 + e), lambda e: 1.0])",
    "multiplicative": "lr_scheduler.MultiplicativeLR(o, lambda e: 0.9)",
    "onecycle": "lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=15)",
    "onecycle_linear": (
        "lr_scheduler.OneCycleLR(o, [0.5, 0.1], epochs=5, steps_per_epoch=3, anneal_strategy='linear', three_phase=True)"
    ),
    "cyclic": "lr_scheduler.CyclicLR(o, 0.1, 0.5, step_size_up=3, step_size_down=4)",
    "cyclic_halved": "lr_scheduler.CyclicLR(o, [0.1, 0.2], 0.5, step_size_up=2, mode='triangular2')",
    "cyclic_exponential": "lr_scheduler.CyclicLR(o, 0.1, 0.5, 3, mode='exp_range', gamma=0.9, cycle_momentum=False)",
    "cyclic_own": "lr_scheduler.CyclicLR(o, 0.1, 0.5, 2, scale_fn=lambda x: 1 / x, scale_mode='cycle')",
    "sequential": (
        "lr_scheduler.SequentialLR(o, [lr_scheduler.LinearLR(o, 0.1, total_iters=4), "
        "lr_scheduler.ExponentialLR(o, 0.8)], milestones=[5])"
    ),
    "chained": (
        "lr_scheduler.ChainedScheduler([lr_scheduler.ConstantLR(o, 0.1, total_iters=2), "
        "lr_scheduler.ExponentialLR(o, 0.9)])"
    ),
}


def _two_groups(kind=torch.optim.SGD, **options):
    a, b = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    return kind([{"params": [a]}, {"params": [b], "lr": 0.3}], lr=0.1, **options)


def _schedule(text):
    o = _two_groups(momentum=0.9)
    s = eval(text, {"o": o, "lr_scheduler": lr_scheduler})
    out = [s.get_last_lr()]
    for _ in range(14):
        o.step()
        s.step()
        out.append([*s.get_last_lr(), o.param_groups[0]["lr"], o.param_groups[1]["momentum"]])
    return out


for _name, _text in SCHEDULES.items():
    globals()[f"case_schedule_{_name}"] = lambda text=_text: _schedule(text)


def case_schedule_plateau():
    out = []
    for options in (
        dict(patience=2),
        dict(patience=1, mode="max", threshold_mode="abs", threshold=0.1, cooldown=1, factor=0.5),
        dict(patience=0, min_lr=0.05),
    ):
        o = _two_groups()
        s = lr_scheduler.ReduceLROnPlateau(o, **options)
        for metric in (1.0, 0.9, 0.9, 0.95, 0.91, 0.9, 0.5, 0.6, torch.tensor(0.7), 0.8, 0.6):
            s.step(metric)
            out.append(s.get_last_lr())
    return out


def case_schedule_cyclic_state():
    o = _two_groups(torch.optim.Adam)
    s = lr_scheduler.CyclicLR(o, 0.1, 0.5, 4)
    o.step()
    s.step()
    t = lr_scheduler.CyclicLR(_two_groups(torch.optim.Adam), 0.1, 0.5, 4)
    t.load_state_dict(s.state_dict())
    return (
        o.param_groups[0]["betas"],
        t.last_epoch,
        t.get_lr(),
        s.state_dict()["_scale_fn_custom"],
        error(lambda: lr_scheduler.CyclicLR(o, 0.1, 0.5, mode="x")),
        error(lambda: lr_scheduler.CyclicLR(o, [0.1], 0.5)),
        error(lambda: lr_scheduler.CyclicLR(_two_groups(torch.optim.Adagrad), 0.1, 0.5)),
        error(lambda: lr_scheduler.CyclicLR(3, 0.1, 0.5)),
    )


def case_schedule_state():
    o = _two_groups(torch.optim.Adam)
    s = lr_scheduler.OneCycleLR(o, max_lr=0.5, total_steps=15)
    o.step()
    s.step()
    state = s.state_dict()
    t = lr_scheduler.StepLR(_two_groups(), 2)
    u = lr_scheduler.StepLR(_two_groups(), 3)
    t.optimizer.step()
    t.step()
    u.load_state_dict(t.state_dict())
    return (
        o.param_groups[0]["betas"],
        state["last_epoch"],
        sorted(k for k in t.state_dict() if k != "_get_lr_called_within_step"),
        u.step_size,
        u.last_epoch,
        warned(lambda: lr_scheduler.StepLR(_two_groups(), 3).step()),
        error(lambda: lr_scheduler.StepLR(3, 3)),
        error(lambda: lr_scheduler.ReduceLROnPlateau(o, factor=1.0)),
        error(lambda: lr_scheduler.ReduceLROnPlateau(o, mode="x")),
        error(lambda: lr_scheduler.LinearLR(o, start_factor=2.0)),
        error(lambda: lr_scheduler.OneCycleLR(o, 0.1)),
        error(lambda: lr_scheduler.OneCycleLR(o, [0.1], total_steps=3)),
        error(lambda: lr_scheduler.LambdaLR(o, [abs])),
        error(lambda: lr_scheduler.SequentialLR(o, [s], [1, 2])),
    )


# Data


class Squares(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError
        return {"x": torch.tensor([float(i)]), "y": i * i, "name": str(i), "pair": (i, 0.5)}


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(5))


def case_loader():
    torch.manual_seed(0)
    data = TensorDataset(torch.arange(10).float().reshape(10, 1), torch.arange(10))
    out = [len(data), data[3], data[2:4]]
    for loader in (
        DataLoader(data, batch_size=4),
        DataLoader(data, batch_size=4, drop_last=True),
        DataLoader(data, batch_size=3, shuffle=True),
        DataLoader(data, batch_size=3, shuffle=True),
        DataLoader(Squares(5), batch_size=2, shuffle=True, num_workers=0),
        DataLoader(data, batch_size=4, collate_fn=lambda rows: sum(int(y) for _, y in rows)),
        DataLoader(Squares(3), batch_size=None),
        DataLoader(Stream(), batch_size=2),
        DataLoader(data, batch_sampler=BatchSampler(RandomSampler(data), 5, False)),
        DataLoader(data, sampler=RandomSampler(data, replacement=True, num_samples=7), batch_size=4),
    ):
        out.append([len(loader) if not isinstance(loader.dataset, IterableDataset) else None, list(loader)])
    return [out, torch.rand(2)]


def case_loader_epochs():
    torch.manual_seed(7)
    loader = DataLoader(TensorDataset(torch.arange(6)), batch_size=2, shuffle=True)
    out = []
    for _ in range(3):
        for (x,) in loader:
            out.append([x, torch.rand(1)])
    return out


def case_loader_generator():
    g = torch.Generator()
    g.manual_seed(3)
    loader = DataLoader(TensorDataset(torch.arange(6)), batch_size=6, shuffle=True, generator=g)
    return [list(loader), list(loader), torch.randperm(4, generator=g)]


def case_split():
    torch.manual_seed(1)
    data = Squares(10)
    a, b = random_split(data, [7, 3])
    c, d, e = random_split(data, [0.5, 0.3, 0.2], generator=torch.Generator().manual_seed(42))
    both = data + Squares(2)
    return (
        list(a.indices),
        list(b.indices),
        [list(x.indices) for x in (c, d, e)],
        a[0]["y"],
        len(both),
        both[11]["y"],
        both[-1]["y"],
        Subset(data, [3, 4])[1]["y"],
        error(lambda: random_split(data, [5, 3])),
        error(lambda: DataLoader(data, shuffle=True, sampler=RandomSampler(data))),
        error(lambda: DataLoader(data, batch_size=0)),
        error(lambda: RandomSampler(data, num_samples=0)),
        error(lambda: ConcatDataset([])),
    )
