"""The base of all optimisers."""

import functools
import warnings
from collections import OrderedDict, defaultdict
from copy import deepcopy

import torch
from torch.nn.utils.clip_grad import drop_gradients
from torch.utils.hooks import RemovableHandle


class _Required:
    def __repr__(self):
        return "<required parameter>"


required = _Required()


def _hooked(step):
    """A step with the hooks of its optimiser, which also learns that it was called."""

    @functools.wraps(step)
    def run(self, *args, **kwargs):
        self._opt_called = True
        for hook in self._step_pre_hooks.values():
            changed = hook(self, (self, *args), kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            (_, *args), kwargs = changed
        result = step(self, *args, **kwargs)
        for hook in self._step_post_hooks.values():
            hook(self, (self, *args), kwargs)
        return result

    return run


class Optimizer:
    """Parameters in groups with their options, and a state for each.

    A kind of optimiser defines `step`.
    """

    def __init__(self, params, defaults):
        self.defaults = defaults
        self.state = defaultdict(dict)
        self.param_groups = []
        self._step_pre_hooks = OrderedDict()
        self._step_post_hooks = OrderedDict()
        if isinstance(params, torch.Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + torch.typename(params)
            )
        params = list(params)
        if not params:
            raise ValueError("optimizer got an empty parameter list")
        for group in params if isinstance(params[0], dict) else [{"params": params}]:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _hooked(cls.step)

    def step(self, closure=None):
        """Changes the parameters by their gradients; closure computes the loss anew."""
        raise NotImplementedError

    def zero_grad(self, set_to_none=True):
        """Drops the gradients of all parameters."""
        for group in self.param_groups:
            drop_gradients(group["params"], set_to_none)

    def add_param_group(self, param_group):
        """Adds parameters with options of their own."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        params = [params] if isinstance(params, torch.Tensor) else list(params)
        names = [p[0] for p in params if isinstance(p, tuple)]
        if names:
            if len(names) != len(params):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["param_names"] = names
            params = [p[1] for p in params]
        param_group["params"] = params
        for parameter in params:
            if not isinstance(parameter, torch.Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {torch.typename(parameter)}"
                )
            if not parameter.is_leaf:
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        ids = {id(p) for p in params}
        if len(ids) != len(params):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        for group in self.param_groups:
            if ("param_names" in group) != bool(names):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with names' if names else 'without names'} to the optimizer"
                )
            if not ids.isdisjoint(id(p) for p in group["params"]):
                raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def state_dict(self):
        """The state and options, with parameters as numbers in their order."""
        numbers = {}
        groups = []
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), len(numbers))
            packed = {k: v for k, v in group.items() if k != "params"}
            groups.append({**packed, "params": [numbers[id(p)] for p in group["params"]]})
        state = {numbers[id(k)] if isinstance(k, torch.Tensor) else k: v for k, v in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict):
        """Takes what state_dict gave; floating point state gets its parameter's dtype."""
        saved = deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(self.param_groups, saved)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        own = {
            number: parameter
            for group, loaded in zip(self.param_groups, saved)
            for number, parameter in zip(loaded["params"], group["params"])
        }

        def cast(parameter, value, key=None):
            if isinstance(value, torch.Tensor):
                return value.to(parameter.dtype) if key != "step" and parameter.is_floating_point() else value
            if isinstance(value, dict):
                return {k: cast(parameter, v, k) for k, v in value.items()}
            if isinstance(value, (list, tuple)):
                return type(value)(cast(parameter, v) for v in value)
            return value

        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            state[own.get(key, key)] = cast(own[key], value) if key in own else value
        for group, loaded in zip(self.param_groups, saved):
            loaded["params"] = group["params"]
            if "param_names" in group:
                loaded.setdefault("param_names", group["param_names"])
        self.state, self.param_groups = state, saved

    def register_step_pre_hook(self, hook):
        """hook(optimizer, args, kwargs) before each step may return other arguments."""
        return self._register(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """hook(optimizer, args, kwargs) after each step."""
        return self._register(self._step_post_hooks, hook)

    @staticmethod
    def _register(hooks, hook):
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        return handle

    def __repr__(self):
        text = f"{type(self).__name__} ("
        for i, group in enumerate(self.param_groups):
            options = "".join(f"    {k}: {group[k]}\n" for k in sorted(group) if k != "params")
            text += f"\nParameter Group {i}\n{options}"
        return text + ")"


class GroupOptimizer(Optimizer):
    """An optimiser whose step is `_update` of each group's parameters that have a gradient."""

    def step(self, closure=None):
        """Changes the parameters by their gradients; closure computes the loss anew."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                pairs = [(p, p.grad) for p in group["params"]]
                pairs = [(p, g) for p, g in pairs if g is not None]
                if pairs:
                    params, grads = ([real(t) for t in tensors] for tensors in zip(*pairs))
                    states = (_RealState(self.state[p]) if p.is_complex() else self.state[p] for p, _ in pairs)
                    self._update(group, params, grads, states)
        return loss

    def _update(self, group, params, grads, states):
        """Changes parameters; complex ones, their gradients and states come by their real and imaginary parts.

        states: an iterator, as a state begins when it is asked for.
        """
        raise NotImplementedError


class _RealState(dict):
    """The state of a complex parameter by its parts: what is put into it becomes complex there."""

    def __init__(self, state):
        super().__init__({name: real(value) for name, value in state.items()})
        self._state = state

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        self._state[name] = torch.view_as_complex(value) if value.dim() else value


def real(tensor):
    """A tensor as it is, a complex one as its real and imaginary parts along a last axis, which share its memory."""
    if isinstance(tensor, torch.Tensor) and tensor.is_complex():
        return torch.view_as_real(tensor)
    return tensor


def number(value):
    """An option that may be a tensor, as a number."""
    return value.item() if isinstance(value, torch.Tensor) else value


def refuse(optimizer, **options):
    """Refuses options that are for GPUs or that PyTorch itself marks as experimental."""
    for name, value in options.items():
        if value:
            raise NotImplementedError(f"{optimizer}: {name}={value} is not supported")


def check_fused(fused, foreach, differentiable):
    """Refuses what a fused kernel does not go with."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_rate(lr):
    """Refuses a learning rate that is negative, or not one number."""
    if isinstance(lr, torch.Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_positive(lr, "learning rate")


def check_betas(betas):
    """Refuses weights of running means that are not below one."""
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")


def check_positive(value, what):
    """Refuses a negative option."""
    if not 0.0 <= value:
        raise ValueError(f"Invalid {what}: {value}")
