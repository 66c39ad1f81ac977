"""RMSprop."""

import torch

from .optimizer import GroupOptimizer, check_positive, check_rate, number, refuse


class RMSprop(GroupOptimizer):
    """RMSprop, by operators: libtorch has no kernel for it."""

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_rate(lr)
        check_positive(eps, "epsilon value")
        check_positive(momentum, "momentum value")
        check_positive(weight_decay, "weight_decay value")
        check_positive(alpha, "alpha value")
        refuse("RMSprop", capturable=capturable, differentiable=differentiable)
        defaults = dict(
            lr=lr,
            momentum=momentum,
            alpha=alpha,
            eps=eps,
            centered=centered,
            weight_decay=weight_decay,
            capturable=capturable,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def _update(self, group, params, grads, states):
        lr, alpha = number(group["lr"]), group["alpha"]
        for parameter, grad, state in zip(params, grads, states):
            if not state:
                state["step"] = torch.tensor(0.0, dtype=torch.float32)
                state["square_avg"] = torch.zeros_like(parameter)
                if group["momentum"] > 0:
                    state["momentum_buffer"] = torch.zeros_like(parameter)
                if group["centered"]:
                    state["grad_avg"] = torch.zeros_like(parameter)
            state["step"].add_(1)
            if group["maximize"]:
                grad = -grad
            if group["weight_decay"] != 0:
                grad = grad.add(parameter, alpha=group["weight_decay"])
            square = state["square_avg"].mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
            if group["centered"]:
                mean = state["grad_avg"].lerp_(grad, 1 - alpha)
                square = square.addcmul(mean, mean, value=-1)
            root = square.sqrt().add_(group["eps"])
            if group["momentum"] > 0:
                buffer = state["momentum_buffer"].mul_(group["momentum"]).addcdiv_(grad, root)
                parameter.add_(buffer, alpha=-lr)
            else:
                parameter.addcdiv_(grad, root, value=-lr)
