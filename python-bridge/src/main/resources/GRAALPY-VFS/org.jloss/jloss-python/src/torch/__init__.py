"""PyTorch's names over jloss's tensors, for scripts written for PyTorch.

Operators of libtorch are functions of this module and methods of Tensor. What is missing raises
AttributeError with the nearest name that there is.
"""

import importlib

from _jloss_host import host
from jloss import _dtypes
from jloss._dtypes import (
    bfloat16,
    bool,
    cdouble,
    cfloat,
    channels_last,
    channels_last_3d,
    chalf,
    complex32,
    complex64,
    complex128,
    contiguous_format,
    device,
    double,
    dtype,
    float,
    float16,
    float32,
    float64,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    layout,
    long,
    memory_format,
    preserve_format,
    short,
    strided,
    uint8,
    uint16,
    uint32,
    uint64,
)
from jloss._errors import call as _call
from jloss._tensor import (
    Size,
    Tensor,
    enable_grad,
    get_default_dtype,
    inference_mode,
    is_grad_enabled,
    legacy_dtype as _legacy_dtype,
    missing as _missing,
    no_grad,
    operator as _operator,
    set_default_dtype,
    set_grad_enabled,
    tensor,
)

from math import e, inf, nan, pi

_dtypes.prefix = "torch"

__version__ = "2.10.0"
newaxis = None

# Read when they are first asked for, as most scripts need few of them.
_MODULES = frozenset(
    """_C accelerator amp autograd backends compiler cuda distributed distributions fft func functional jit linalg nn optim random
    return_types special utils version""".split()
)
_HOME = {
    "Generator": "random",
    "default_generator": "random",
    "manual_seed": "random",
    "seed": "random",
    "initial_seed": "random",
    "get_rng_state": "random",
    "set_rng_state": "random",
    "finfo": "_info",
    "iinfo": "_info",
    "vmap": "func",
    "autocast": "amp",
    "is_autocast_enabled": "amp",
    "ctc_loss": "_checked",
    "save": "serialization",
    "load": "serialization",
}
_FUNCTIONAL = frozenset(
    """_assert _assert_async allclose align_tensors as_tensor asarray atleast_1d atleast_2d atleast_3d block_diag broadcast_shapes
    broadcast_tensors can_cast cartesian_prod cdist chain_matmul compile einsum equal from_numpy frombuffer
    get_num_threads is_complex is_floating_point is_inference_mode_enabled is_nonzero is_storage is_tensor istft
    meshgrid nonzero norm numel promote_types result_type scalar_tensor set_num_threads set_default_device
    set_default_tensor_type split stft tensordot typename unique unique_consecutive unravel_index vander
    use_deterministic_algorithms are_deterministic_algorithms_enabled get_float32_matmul_precision
    set_float32_matmul_precision""".split()
)


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"torch.{name}")
    if name in _HOME:
        found = getattr(importlib.import_module(f"torch.{_HOME[name]}"), name)
    elif name == "set_printoptions":
        from jloss._format import set_printoptions as found
    elif name in _FUNCTIONAL:
        found = getattr(importlib.import_module("torch.functional"), name)
    elif name.endswith("Tensor") and name[:1].isupper():
        found = _legacy(name)
    else:
        found = None if name.startswith("_") else _operator(name, "tnfls")
    if found is None:
        raise _missing("module 'torch'", name, __dir__)
    globals()[name] = found
    return found


def _legacy(name):
    """The type of the name torch.FloatTensor and so on."""
    try:
        made_of = _legacy_dtype("torch." + name)
    except ValueError:
        return None

    return tensortype(name, (), {"dtype": made_of, "__module__": "torch"})


class tensortype(type):
    """The legacy types: what they make are tensors, which are their instances by the dtype."""

    def __call__(cls, *args, device=None):
        return Tensor._make_subclass(Tensor, tensor([], dtype=cls.dtype)).new(*args)

    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype


def __dir__():
    names = {n for n in globals() if not n.startswith("_")} | {"set_printoptions"}
    return sorted({*names, *_MODULES, *_HOME, *_FUNCTIONAL, *_call(host.operators, "t")})
