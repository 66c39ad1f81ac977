"""Adam and AdamW."""

import torch
from torch._checked import optimizer_step

from .optimizer import GroupOptimizer, check_betas, check_fused, check_positive, check_rate, number, refuse


class Adam(GroupOptimizer):
    """Adam, by libtorch's own kernel."""

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        if isinstance(lr, torch.Tensor) and foreach and not capturable:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        check_rate(lr)
        check_positive(eps, "epsilon value")
        check_betas(betas)
        check_positive(weight_decay, "weight_decay value")
        check_fused(fused, foreach, differentiable)
        refuse(type(self).__name__, capturable=capturable, differentiable=differentiable)
        defaults = dict(
            lr=lr,
            betas=tuple(betas),
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )
        super().__init__(params, defaults)

    def _update(self, group, params, grads, states):
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])]
        states = list(states)
        for parameter, state in zip(params, states):
            if not state:
                state["step"] = torch.tensor(0.0, dtype=torch.float32)
            for name in names:
                if name not in state:
                    state[name] = torch.zeros_like(parameter)
        moments = [[state[name] for state in states] for name in names]
        if not group["amsgrad"]:
            moments.append([])
        beta1, beta2 = map(number, group["betas"])
        optimizer_step(
            "adamw" if group["decoupled_weight_decay"] else "adam",
            (params, grads, *moments, [state["step"] for state in states]),
            lr=number(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=bool(group["amsgrad"]),
            maximize=bool(group["maximize"]),
        )


class AdamW(Adam):
    """Adam whose weight decay does not go through the moments."""

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=1e-2,
        amsgrad=False,
        *,
        maximize=False,
        foreach=None,
        capturable=False,
        differentiable=False,
        fused=None,
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
