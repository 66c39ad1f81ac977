"""The optimisers for which libtorch has no kernel of their own: by operators, a parameter at a time."""

import torch

from .optimizer import GroupOptimizer, check_betas, check_positive, check_rate, number, refuse


class _ByOperators(GroupOptimizer):
    """One whose step of a parameter is `_change`, with a state that begins as `_begin` says."""

    def _take(self, arguments, **checks):
        """Begins with a constructor's arguments; checks: what those are called that must not be negative."""
        options = {name: value for name, value in arguments.items() if name not in ("self", "params")}
        check_rate(options["lr"])
        for name, what in checks.items():
            check_positive(options[name], what)
        check_betas(options.get("betas", ()))
        refuse(type(self).__name__, capturable=options["capturable"], differentiable=options["differentiable"])
        super().__init__(arguments["params"], options)

    def _begin(self, group, parameter):
        """The state's tensors but the count of steps."""
        raise NotImplementedError

    def _change(self, group, parameter, grad, state, step):
        raise NotImplementedError

    def _update(self, group, params, grads, states):
        for parameter, grad, state in zip(params, grads, states):
            if not state:
                state["step"] = torch.tensor(0.0, dtype=torch.float32)
                # Not by update(), which would go past what a complex parameter's state does.
                for name, value in self._begin(group, parameter).items():
                    state[name] = value
            state["step"] += 1
            if group["maximize"]:
                grad = -grad
            decay = group.get("weight_decay", 0)
            if decay != 0:
                if group.get("decoupled_weight_decay"):
                    parameter.mul_(1 - number(group["lr"]) * decay)
                else:
                    grad = grad.add(parameter, alpha=decay)
            self._change(group, parameter, grad, state, state["step"].item())


_RATES = {"eps": "epsilon value", "weight_decay": "weight_decay value"}


def _zeros(parameter, *names):
    return {name: torch.zeros_like(parameter) for name in names}


def _moments(group, grad, state):
    beta1, beta2 = group["betas"]
    mean = state["exp_avg"].lerp_(grad, 1 - beta1)
    return mean, state["exp_avg_sq"].mul_(beta2).addcmul_(grad, grad, value=1 - beta2)


class Adadelta(_ByOperators):
    """Steps as long as the root mean square of those before."""

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        self._take(locals(), **_RATES)

    def _begin(self, group, parameter):
        return _zeros(parameter, "square_avg", "acc_delta")

    def _change(self, group, parameter, grad, state, step):
        rho, eps = group["rho"], group["eps"]
        square = state["square_avg"].mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = state["acc_delta"].add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(grad)
        state["acc_delta"].mul_(rho).addcmul_(delta, delta, value=1 - rho)
        parameter.add_(delta, alpha=-number(group["lr"]))


class Adamax(_ByOperators):
    """Adam by the largest gradient, which fades, for the second moment."""

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        self._take(locals(), **_RATES)

    def _begin(self, group, parameter):
        return _zeros(parameter, "exp_avg", "exp_inf")

    def _change(self, group, parameter, grad, state, step):
        beta1, beta2 = group["betas"]
        mean = state["exp_avg"].lerp_(grad, 1 - beta1)
        most = state["exp_inf"].copy_(torch.maximum(state["exp_inf"] * beta2, grad.abs().add_(group["eps"])))
        parameter.addcdiv_(mean, most, value=-number(group["lr"]) / (1 - beta1**step))


class NAdam(_ByOperators):
    """Adam with Nesterov's momentum."""

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        self._take(locals(), **_RATES, momentum_decay="momentum_decay value")

    def _begin(self, group, parameter):
        return {"mu_product": torch.ones((), dtype=torch.float32), **_zeros(parameter, "exp_avg", "exp_avg_sq")}

    def _change(self, group, parameter, grad, state, step):
        (beta1, beta2), lr, decay = group["betas"], number(group["lr"]), group["momentum_decay"]
        now, after = (beta1 * (1.0 - 0.5 * 0.96 ** (n * decay)) for n in (step, step + 1))
        state["mu_product"] *= now
        product = state["mu_product"].item()
        mean, square = _moments(group, grad, state)
        root = square.div(1 - beta2**step).sqrt().add(group["eps"])
        parameter.addcdiv_(grad, root, value=-lr * (1.0 - now) / (1.0 - product))
        parameter.addcdiv_(mean, root, value=-lr * after / (1.0 - product * after))


class RAdam(_ByOperators):
    """Adam whose first steps, of few gradients, do without the second moment."""

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        self._take(locals(), **_RATES)

    def _begin(self, group, parameter):
        return _zeros(parameter, "exp_avg", "exp_avg_sq")

    def _change(self, group, parameter, grad, state, step):
        beta1, beta2 = group["betas"]
        mean, square = _moments(group, grad, state)
        correction = 1 - beta2**step
        most = 2 / (1 - beta2) - 1
        length = most - 2 * step * beta2**step / correction
        change = mean / (1 - beta1**step) * number(group["lr"])
        if length > 5.0:
            rectified = ((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) ** 0.5
            change = change * (correction**0.5 / square.sqrt().add_(group["eps"])) * rectified
        parameter.sub_(change)


class ASGD(_ByOperators):
    """SGD, with the mean of the parameters from step t0 on beside it."""

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        self._take(locals(), weight_decay="weight_decay value")

    def _begin(self, group, parameter):
        eta = torch.tensor(number(group["lr"]), dtype=torch.float32)
        return {"eta": eta, "mu": torch.ones((), dtype=torch.float32), **_zeros(parameter, "ax")}

    def _change(self, group, parameter, grad, state, step):
        eta, lr, lambd = state["eta"].item(), number(group["lr"]), group["lambd"]
        parameter.mul_(1 - lambd * eta)
        parameter.add_(grad, alpha=-eta)
        if state["mu"].item() == 1:
            state["ax"].copy_(parameter)
        else:
            state["ax"].add_(parameter.sub(state["ax"]).mul_(state["mu"].item()))
        state["eta"].fill_(lr / (1 + lambd * lr * step) ** group["alpha"])
        state["mu"].fill_(1 / max(1, step - group["t0"]))


class Rprop(_ByOperators):
    """Steps by the gradient's signs alone: longer where they stay, shorter where they change."""

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        self._take(locals())

    def _begin(self, group, parameter):
        size = torch.full_like(parameter, number(group["lr"]))
        return {**_zeros(parameter, "prev"), "step_size": size}

    def _change(self, group, parameter, grad, state, step):
        shorter, longer = group["etas"]
        agree = grad.mul(state["prev"]).sign()
        factor = agree.masked_fill(agree == 0, 1).masked_fill_(agree > 0, longer).masked_fill_(agree < 0, shorter)
        size = state["step_size"].mul_(factor).clamp_(*group["step_sizes"])
        grad = grad.masked_fill(agree < 0, 0)
        parameter.addcmul_(grad.sign(), size, value=-1)
        state["prev"].copy_(grad)
