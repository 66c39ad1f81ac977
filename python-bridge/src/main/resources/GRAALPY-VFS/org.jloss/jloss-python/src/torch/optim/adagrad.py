"""Adagrad."""

import torch
from torch._checked import optimizer_step

from .optimizer import GroupOptimizer, check_fused, check_positive, check_rate, number, real, refuse


class Adagrad(GroupOptimizer):
    """Adagrad, by libtorch's own kernel."""

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_rate(lr)
        check_positive(lr_decay, "lr_decay value")
        check_positive(weight_decay, "weight_decay value")
        check_positive(initial_accumulator_value, "initial_accumulator_value value")
        check_positive(eps, "epsilon value")
        check_fused(fused, foreach, differentiable)
        refuse("Adagrad", differentiable=differentiable)
        defaults = dict(
            lr=lr,
            lr_decay=lr_decay,
            eps=eps,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state["step"] = torch.tensor(0.0, dtype=torch.float32)
                state["sum"] = torch.zeros_like(parameter.detach())
                real(state["sum"]).fill_(initial_accumulator_value)

    def _update(self, group, params, grads, states):
        states = list(states)
        optimizer_step(
            "adagrad",
            (params, grads, [state["sum"] for state in states], [state["step"] for state in states]),
            lr=number(group["lr"]),
            lr_decay=group["lr_decay"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=bool(group["maximize"]),
        )
