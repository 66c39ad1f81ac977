"""Parameters that are computed from others whenever they are asked for."""

import contextlib
import copy

import torch
from torch.nn import Module, ModuleDict, ModuleList, Parameter

_enabled = 0
_cache = {}


@contextlib.contextmanager
def cached():
    """Computes each parametrised tensor once within."""
    global _enabled
    _enabled += 1
    try:
        yield
    finally:
        _enabled -= 1
        if not _enabled:
            _cache.clear()


def _register(module, name, value):
    if isinstance(value, Parameter):
        module.register_parameter(name, value)
    else:
        module.register_buffer(name, value)


class ParametrizationList(ModuleList):
    """The modules that compute a tensor, one after the other, and what they compute it from."""

    def __init__(self, modules, original, unsafe=False):
        if not modules:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        new = self._inverse(original)
        self.is_tensor = isinstance(new, torch.Tensor)
        parts = [new] if self.is_tensor else list(new)
        self.ntensors = len(parts)
        for name, part in zip(self._names(), parts):
            if not isinstance(part, torch.Tensor):
                raise ValueError(
                    f"'right_inverse' must return a Tensor or a Sequence of tensors. Got {type(part).__name__}."
                )
            if self.is_tensor:
                # The parameter itself, which optimisers hold.
                with torch.no_grad():
                    if part is not original:
                        original.data = part.detach()
                part = original
            elif isinstance(original, Parameter):
                part = Parameter(part.detach(), original.requires_grad)
            _register(self, name, part)
        if not unsafe:
            computed = self()
            if computed.dtype != original.dtype or computed.shape != original.shape:
                raise ValueError(
                    "Registering a parametrization may not change the shape or the dtype of the tensor: expected "
                    f"{original.dtype} of shape {original.shape}, got {computed.dtype} of shape {computed.shape}"
                )

    def _names(self):
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]

    @torch.no_grad()
    def _inverse(self, value):
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                value = module.right_inverse(value)
        return value

    @torch.no_grad()
    def right_inverse(self, value):
        """Has the tensor be this value, as near as the modules can come to it."""
        new = self._inverse(value)
        for name, part in zip(self._names(), [new] if self.is_tensor else new):
            getattr(self, name).data = part.detach()

    def forward(self):
        first, *others = self
        value = first(*(getattr(self, name) for name in self._names()))
        for module in others:
            value = module(value)
        return value


def _parametrised(module):
    """Has a module's class be one of its own, whose tensors can be properties."""
    cls = type(module)

    def no_pickle(self):
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(). See:\n"
            "https://pytorch.org/tutorials/beginner/saving_loading_models.html"
            "#saving-loading-a-general-checkpoint-for-inference-and-or-resuming-training"
        )

    def deep_copy(self, memo):
        made = memo[id(self)] = self.__new__(self.__class__)
        made.__dict__ = copy.deepcopy(self.__dict__, memo)
        made.__class__ = type(type(self).__name__, (cls,), dict(vars(type(self))))
        return made

    members = {"__getstate__": no_pickle, "__deepcopy__": deep_copy}
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)
    module.parametrizations = ModuleDict()


def _property(name):
    def get(self):
        parametrization = self.parametrizations[name]
        if not _enabled:
            return parametrization()
        key = id(self), name
        if key not in _cache:
            _cache[key] = parametrization()
        return _cache[key]

    def put(self, value):
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Has a parameter or buffer of a module be what another module computes from it."""
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        found = module.parametrizations[tensor_name]
        before = getattr(module, tensor_name)
        found.append(parametrization)
        if hasattr(parametrization, "right_inverse"):
            found.right_inverse(before)
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        computed = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _parametrised(module)
        setattr(type(module), tensor_name, _property(tensor_name))
        module.parametrizations[tensor_name] = computed
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def is_parametrized(module, tensor_name=None):
    """Whether a module, or that tensor of it, is parametrised."""
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Takes that off again: the tensor stays as it is computed, or what it was computed from."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    found = module.parametrizations[tensor_name]
    if leave_parametrized:
        with torch.no_grad():
            value = getattr(module, tensor_name).detach()
        if found.is_tensor:
            original = found.original
            original.data = value
        else:
            original = Parameter(value) if isinstance(found.original0, Parameter) else value
    elif found.is_tensor:
        original = found.original
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not module.parametrizations:
        delattr(module, "parametrizations")
        module.__class__ = type_before_parametrizations(module)
    return module


def type_before_parametrizations(module):
    """The class that a module had before it was parametrised."""
    return (
        type(module).__bases__[0]
        if is_parametrized(module) or "Parametrized" in type(module).__name__
        else type(module)
    )
