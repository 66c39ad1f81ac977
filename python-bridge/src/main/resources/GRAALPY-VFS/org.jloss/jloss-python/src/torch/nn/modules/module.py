"""The base of all modules."""

import warnings
from collections import OrderedDict, namedtuple

import torch
from torch.nn.parameter import Buffer, Parameter
from torch.utils.hooks import RemovableHandle

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


def _indented(text):
    return text.replace("\n", "\n  ")


def _hooks():
    return OrderedDict()


class Module:
    """Parameters, buffers and further modules under names, and what they compute in `forward`."""

    _version = 1
    call_super_init = False

    # Where __setattr__ keeps things, in the order in which a name is looked up.
    _STORES = ("_parameters", "_buffers", "_modules")

    def __init__(self, *args, **kwargs):
        if not self.call_super_init:
            name = type(self).__name__
            if kwargs:
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'")
            if args:
                raise TypeError(f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given")
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _modules={},
            _non_persistent_buffers_set=set(),
            # Hooks by their handle's id, with the options that each was registered with.
            _forward_pre_hooks=_hooks(),
            _forward_hooks=_hooks(),
            _backward_pre_hooks=_hooks(),
            _backward_hooks=_hooks(),
            _state_dict_pre_hooks=_hooks(),
            _state_dict_hooks=_hooks(),
            _load_state_dict_pre_hooks=_hooks(),
            _load_state_dict_post_hooks=_hooks(),
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *input):
        """What the module computes; to be defined by each kind of module."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args, **kwargs):
        if not (self._forward_pre_hooks or self._forward_hooks or self._backward_hooks or self._backward_pre_hooks):
            return self.forward(*args, **kwargs)
        return self._call_with_hooks(args, kwargs)

    # Attributes

    def __getattr__(self, name):
        members = self.__dict__
        for store in Module._STORES:
            if store in members and name in members[store]:
                return members[store][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name, value):
        members = self.__dict__
        if isinstance(value, Parameter):
            self._claim(name, "_parameters", "parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._claim(name, "_modules", "module")
            members["_modules"][name] = value
        elif isinstance(value, Buffer):
            self._claim(name, "_buffers", "buffer")
            self.register_buffer(name, value, value.persistent)
        elif "_parameters" in members:
            if name in members["_parameters"]:
                self._check_none(name, value, "parameter", "torch.nn.Parameter or None expected")
                members["_parameters"][name] = None
            elif name in members["_modules"]:
                self._check_none(name, value, "child module", "torch.nn.Module or None expected")
                members["_modules"][name] = None
            elif name in members["_buffers"]:
                if not isinstance(value, torch.Tensor):
                    self._check_none(name, value, "buffer", "torch.nn.Buffer, torch.Tensor or None expected")
                members["_buffers"][name] = value
            else:
                object.__setattr__(self, name, value)
        else:
            object.__setattr__(self, name, value)

    def _claim(self, name, store, what):
        """Takes a name away from whatever else has it."""
        members = self.__dict__
        if store not in members:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        members.pop(name, None)
        for other in Module._STORES:
            if other != store:
                members[other].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    @staticmethod
    def _check_none(name, value, what, expected):
        if value is not None:
            raise TypeError(f"cannot assign '{torch.typename(value)}' as {what} '{name}' ({expected})")

    def __delattr__(self, name):
        for store in Module._STORES:
            if name in self.__dict__.get(store, ()):
                del self.__dict__[store][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(n for n in names if not n[0].isdigit())

    # Registration

    def _check_name(self, name, store, what):
        if store not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {torch.typename(name)}")
        if what == "module" and hasattr(self, name) and name not in self._modules:
            raise KeyError(f"attribute '{name}' already exists")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain "."' + (f", got: {name}" if what == "module" else ""))
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[store]:
            raise KeyError(f"attribute '{name}' already exists")

    def register_buffer(self, name, tensor, persistent=True):
        """Adds a tensor that is state but no parameter; in the state_dict only if persistent."""
        self._check_name(name, "_buffers", "buffer")
        if tensor is not None and not isinstance(tensor, torch.Tensor):
            raise TypeError(
                f"cannot assign '{torch.typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_parameter(self, name, param):
        """Adds a parameter, or None for one that is not there."""
        self._check_name(name, "_parameters", "parameter")
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{torch.typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in "
                    "the forward() method."
                )
        self._parameters[name] = param

    def add_module(self, name, module):
        """Adds a module under a name."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{torch.typename(module)} is not a Module subclass")
        self._check_name(name, "_modules", "module")
        self._modules[name] = module

    register_module = add_module

    # Members

    def _named_members(self, members, prefix, recurse, remove_duplicate):
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in members(module).items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """All parameters with their names."""
        return self._named_members(lambda m: m._parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """All parameters."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """All buffers with their names."""
        return self._named_members(lambda m: m._buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """All buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self):
        """The modules right below with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self):
        """The modules right below."""
        for _, module in self.named_children():
            yield module

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """This module and all below with their paths."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self):
        """This module and all below."""
        for _, module in self.named_modules():
            yield module

    def _member(self, name):
        if not hasattr(self, name):
            raise AttributeError(f"{self._get_name()} has no attribute `{name}`")
        return getattr(self, name)

    def get_submodule(self, target):
        """The module at a path such as "encoder.0"."""
        module = self
        for name in target.split(".") if target else ():
            module = module._member(name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False):
        """Replaces the module at a path."""
        if not target:
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            if not isinstance(parent._member(name), Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The parameter at a path."""
        path, _, name = target.rpartition(".")
        parameter = self.get_submodule(path)._member(name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target):
        """The buffer at a path."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        buffer = module._member(name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    # What is done to all members

    def apply(self, fn):
        """Calls fn with every module below, then with this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn, recurse=True):
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is not None:
                grad = parameter.grad
                with torch.no_grad():
                    parameter.data = fn(parameter)
                    if grad is not None:
                        parameter.grad = fn(grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args, **kwargs):
        """Changes the dtype of floating point parameters and buffers; the device can only be the CPU."""
        dtype, device = kwargs.get("dtype"), kwargs.get("device")
        like = kwargs.get("tensor")
        for value in args:
            if isinstance(value, torch.dtype):
                dtype = value
            elif isinstance(value, torch.Tensor):
                like = value
            elif not isinstance(value, bool) and value is not None:
                device = value
        if like is not None:
            dtype = like.dtype
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(tensor):
            if device is not None:
                tensor = tensor.to(device)
            return tensor.to(dtype) if dtype is not None and tensor.is_floating_point() else tensor

        return self._apply(convert)

    def _floating(self, dtype):
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self):
        """All floating point parameters and buffers as float32."""
        return self._floating(torch.float32)

    def double(self):
        """All floating point parameters and buffers as float64."""
        return self._floating(torch.float64)

    def half(self):
        """All floating point parameters and buffers as float16."""
        return self._floating(torch.float16)

    def bfloat16(self):
        """All floating point parameters and buffers as bfloat16."""
        return self._floating(torch.bfloat16)

    def type(self, dst_type):
        """All parameters and buffers with another dtype."""
        return self._apply(lambda t: t.to(dst_type))

    def cpu(self):
        """This module: there is no other device."""
        return self

    def train(self, mode=True):
        """Has this module and all below behave as in training, or not."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """Has this module and all below behave as in evaluation."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Has gradients of all parameters recorded, or not."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drops the gradients of all parameters."""
        from torch.nn.utils.clip_grad import drop_gradients

        drop_gradients(self.parameters(), set_to_none)

    def share_memory(self):
        """This module: scripts have no other process."""
        return self

    # State

    def get_extra_state(self):
        """Further state for the state_dict, if a module defines it."""
        raise RuntimeError("this module has no extra state: define get_extra_state and set_extra_state")

    def set_extra_state(self, state):
        """Takes what get_extra_state gave."""
        raise RuntimeError("this module has no extra state: define get_extra_state and set_extra_state")

    def _defines(self, name):
        return getattr(type(self), name) is not getattr(Module, name)

    def _persistent_buffers(self):
        return {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, value in {**self._parameters, **self._persistent_buffers()}.items():
            if value is not None:
                destination[prefix + name] = value if keep_vars else value.detach()
        if self._defines("get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """All parameters and persistent buffers by their paths, sharing their data."""
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
                " for details.",
                FutureWarning,
                stacklevel=2,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args))
            destination = given.get("destination", destination)
            prefix = given.get("prefix", prefix)
            keep_vars = given.get("keep_vars", keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, metadata)
            if result is not None:
                destination = result
        return destination

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = {**self._parameters, **self._persistent_buffers()}
        own = {k: v for k, v in own.items() if v is not None}
        for name, value in own.items():
            key = prefix + name
            if key in state_dict:
                self._load_tensor(
                    name, key, value, state_dict[key], local_metadata.get("assign_to_params_buffers"), error_msgs
                )
            elif strict:
                missing_keys.append(key)
        extra = prefix + _EXTRA_STATE
        if self._defines("set_extra_state"):
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else own):
                        unexpected_keys.append(key)

    def _load_tensor(self, name, key, own, given, assign, error_msgs):
        if not isinstance(given, torch.Tensor):
            error_msgs.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                f"checkpoint but received {type(given)}"
            )
            return
        if own.dim() == 0 and given.shape == (1,):
            given = given[0]
        if given.shape != own.shape:
            error_msgs.append(
                f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
                f"the shape in current model is {own.shape}."
            )
            return
        try:
            with torch.no_grad():
                if not assign:
                    own.copy_(given)
                elif isinstance(own, Parameter) and not isinstance(given, Parameter):
                    setattr(self, name, Parameter(given, requires_grad=own.requires_grad))
                else:
                    setattr(self, name, given)
        except Exception as error:
            error_msgs.append(
                f'While copying the parameter named "{key}", whose dimensions in the model are {own.size()} and '
                f"whose dimensions in the checkpoint are {given.size()}, an exception occurred : {error.args}."
            )

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copies parameters and buffers from a state_dict.

        strict: every key must match. Returns what did not, as (missing_keys, unexpected_keys).
        """
        if not hasattr(state_dict, "items"):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing, unexpected, errors = [], [], []
        metadata = getattr(state_dict, "_metadata", None) or {}

        def load(module, state, prefix):
            local = dict(metadata.get(prefix[:-1], {}))
            if assign:
                local["assign_to_params_buffers"] = True
            module._load_from_state_dict(state, prefix, local, True, missing, unexpected, errors)
            for name, child in module._modules.items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {k: v for k, v in state.items() if k.startswith(below)}, below)
            keys = _IncompatibleKeys(missing, unexpected)
            for hook in module._load_state_dict_post_hooks.values():
                hook(module, keys)

        load(self, OrderedDict(state_dict), "")
        if strict:
            for what, keys in (("Unexpected", unexpected), ("Missing", missing)):
                if keys:
                    names = ", ".join(f'"{k}"' for k in keys)
                    errors.insert(0, f"{what} key(s) in state_dict: {names}. ")
        if errors:
            lines = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        return _IncompatibleKeys(missing, unexpected)

    # Hooks

    @staticmethod
    def _register(hooks, hook, prepend=False):
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """hook(module, args) before forward may return other arguments."""
        return self._register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """hook(module, args, output) after forward may return another output."""
        return self._register(self._forward_hooks, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """hook(module, grad_output) before the module's backward may return another gradient."""
        return self._register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """hook(module, grad_input, grad_output) may return another gradient of the inputs."""
        return self._register(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook):
        """Refused: PyTorch itself deprecates it for giving wrong gradients."""
        raise NotImplementedError("register_backward_hook is not supported; use register_full_backward_hook")

    def register_state_dict_pre_hook(self, hook):
        """hook(module, prefix, keep_vars) before state_dict."""
        return self._register(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """hook(module, state_dict, prefix, local_metadata) after state_dict."""
        return self._register(self._state_dict_hooks, hook)

    _register_state_dict_hook = register_state_dict_post_hook

    def register_load_state_dict_pre_hook(self, hook):
        """hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)."""
        return self._register(self._load_state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        wrapped = hook if with_module else lambda module, *args: hook(*args)
        return self._register(self._load_state_dict_pre_hooks, wrapped)

    def register_load_state_dict_post_hook(self, hook):
        """hook(module, incompatible_keys) after load_state_dict."""
        return self._register(self._load_state_dict_post_hooks, hook)

    def _call_with_hooks(self, args, kwargs):
        waiting = OrderedDict((k, h) for k, h in self._forward_hooks.items() if h[2])
        result = None
        try:
            for hook, with_kwargs in list(self._forward_pre_hooks.values()):
                changed = hook(self, args, kwargs) if with_kwargs else hook(self, args)
                if changed is None:
                    continue
                if not with_kwargs:
                    args = changed if isinstance(changed, tuple) else (changed,)
                elif isinstance(changed, tuple) and len(changed) == 2:
                    args, kwargs = changed
                else:
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
            backward = None
            if self._backward_hooks or self._backward_pre_hooks:
                from torch.utils.hooks import BackwardHook

                backward = BackwardHook(self, self._backward_hooks.values(), self._backward_pre_hooks.values())
                args = backward.setup_input_hook(args)
            result = self.forward(*args, **kwargs)
            for key, (hook, with_kwargs, _) in list(self._forward_hooks.items()):
                waiting.pop(key, None)
                changed = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                if changed is not None:
                    result = changed
            return result if backward is None else backward.setup_output_hook(result)
        except Exception:
            for hook, with_kwargs, _ in waiting.values():
                try:
                    hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
                except Exception as silenced:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {silenced}",
                        stacklevel=2,
                    )
            raise

    # Text

    def _get_name(self):
        return type(self).__name__

    def extra_repr(self):
        """What repr() says of the module itself."""
        return ""

    def __repr__(self):
        extra = self.extra_repr()
        own = extra.split("\n") if extra else []
        below = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if len(own) == 1 and not below:
            return f"{self._get_name()}({own[0]})"
        lines = "".join(f"\n  {line}" for line in own + below)
        return f"{self._get_name()}({lines}\n)" if lines else f"{self._get_name()}()"
