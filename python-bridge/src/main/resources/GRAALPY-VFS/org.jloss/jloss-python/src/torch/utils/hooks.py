"""Handles of hooks, and the hooks around a module's backward pass."""

import itertools

_ids = itertools.count()


class RemovableHandle:
    """Takes a hook away again, by remove() or at the end of a with statement."""

    def __init__(self, hooks):
        self._hooks = hooks
        self.id = next(_ids)

    def remove(self):
        """Takes the hook away."""
        self._hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def _observed(values, notify):
    """The values with their tensors behind a node whose backward asks notify for the gradients.

    notify is given the gradient of each value, None for what is no tensor, and gives them back.
    Returns None where no gradient will come.
    """
    import torch
    from torch.autograd import Function

    places = [i for i, value in enumerate(values) if isinstance(value, torch.Tensor)]
    if not torch.is_grad_enabled() or not any(values[i].requires_grad for i in places):
        return None

    class BackwardHookFunction(Function):
        @staticmethod
        def forward(ctx, *tensors):
            seen = tuple(t.view_as(t) for t in tensors)
            ctx.mark_non_differentiable(*(s for s, t in zip(seen, tensors) if not t.requires_grad))
            return seen

        @staticmethod
        def backward(ctx, *grads):
            gradients = [None] * len(values)
            for i, grad in zip(places, grads):
                gradients[i] = grad
            gradients = notify(tuple(gradients))
            return tuple(gradients[i] for i in places)

    seen = list(values)
    for i, tensor in zip(places, BackwardHookFunction.apply(*(values[i] for i in places))):
        seen[i] = tensor
    return tuple(seen)


class BackwardHook:
    """One call of a module: knows the gradients of its outputs when those of its inputs come."""

    def __init__(self, module, hooks, pre_hooks):
        self.module = module
        self.hooks = list(hooks)
        self.pre_hooks = list(pre_hooks)
        self.count = 0
        self.sees_inputs = False
        self.grad_output = None

    def setup_input_hook(self, args):
        """The arguments that forward shall be called with."""
        self.count = len(args)
        seen = _observed(args, self._inputs_done)
        self.sees_inputs = seen is not None
        return args if seen is None else seen

    def setup_output_hook(self, result):
        """The output that the caller shall be given."""
        seen = _observed(result if isinstance(result, tuple) else (result,), self._outputs_done)
        if seen is None:
            return result
        return seen if isinstance(result, tuple) else seen[0]

    def _outputs_done(self, grad_output):
        for hook in self.pre_hooks:
            changed = hook(self.module, grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                grad_output = self._checked(changed, grad_output, "pre hook", "grad_output")
        self.grad_output = grad_output
        if not self.sees_inputs:
            self._warn()
            for hook in self.hooks:
                changed = hook(self.module, (None,) * self.count, grad_output)
                if changed is not None and any(g is not None for g in changed):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or "
                        "None for all gradients."
                    )
        return grad_output

    def _inputs_done(self, grad_input):
        # In a double backward it may flow past the outputs.
        if self.grad_output is not None:
            for hook in self.hooks:
                changed = hook(self.module, grad_input, self.grad_output)
                if changed is not None:
                    changed = changed if isinstance(changed, tuple) else (changed,)
                    grad_input = self._checked(changed, grad_input, "hook", "grad_input")
            self.grad_output = None
        return grad_input

    @staticmethod
    def _checked(changed, given, what, name):
        if len(changed) != len(given):
            raise RuntimeError(
                f"Backward {what} returned an invalid number of {name}, got {len(changed)}, but expected {len(given)}"
            )
        return changed

    @staticmethod
    def _warn():
        import warnings

        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
            "#torch.nn.Module.register_full_backward_hook for more details.",
            stacklevel=5,
        )
