"""Stochastic gradient descent."""

import torch
from torch._checked import optimizer_step

from .optimizer import GroupOptimizer, check_fused, check_positive, check_rate, number, refuse


class SGD(GroupOptimizer):
    """Stochastic gradient descent with momentum, by libtorch's own kernel."""

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_rate(lr)
        check_positive(momentum, "momentum value")
        check_positive(weight_decay, "weight_decay value")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_fused(fused, foreach, differentiable)
        refuse("SGD", differentiable=differentiable)
        defaults = dict(
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
            foreach=foreach,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)

    def _update(self, group, params, grads, states):
        if group["momentum"] == 0:
            self._step(group, params, grads, [], False)
            return
        new, old = [], []
        for parameter, grad, state in zip(params, grads, states):
            first = state.get("momentum_buffer") is None
            if first:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            (new if first else old).append((parameter, grad, state["momentum_buffer"]))
        # The kernel fills all buffers or none.
        for part in (new, old):
            if part:
                self._step(group, *map(list, zip(*part)), part is new)

    @staticmethod
    def _step(group, params, grads, buffers, first):
        optimizer_step(
            "sgd",
            (params, grads, buffers),
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            lr=number(group["lr"]),
            dampening=group["dampening"],
            nesterov=bool(group["nesterov"]),
            maximize=bool(group["maximize"]),
            is_first_step=first,
        )
