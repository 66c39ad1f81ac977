"""Functions whose signatures PyTorch writes in Python, over the operators of libtorch."""

from jloss import _dtypes
from jloss._dtypes import as_dtype, by_code
from jloss._tensor import Size, Tensor, operator, tensor
from torch import linalg


def _op(name):
    return operator(name, "tp")


def _several(tensors):
    return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors


# Asking


def is_tensor(obj):
    """Whether it is a tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj):
    """False: there are no storages."""
    return False


def is_floating_point(input):
    """Whether the elements are floating point numbers."""
    return input.is_floating_point()


def is_complex(input):
    """Whether the elements are complex numbers."""
    return input.is_complex()


def is_nonzero(input):
    """Whether the one element is not zero."""
    return bool(input)


def numel(input):
    """How many elements there are."""
    return input.numel()


def typename(obj):
    """The legacy name of a tensor's dtype, the name of another object's type."""
    if isinstance(obj, Tensor):
        return obj.type()
    kind = type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def is_inference_mode_enabled():
    """False: inference mode is no_grad here."""
    return False


def equal(input, other):
    """Whether shapes and elements are the same."""
    return _op("equal")(input, other)


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close."""
    return _op("allclose")(input, other, rtol, atol, equal_nan)


def result_type(tensor1, tensor2):
    """The dtype of an operation on both."""
    found = by_code[_op("result_type")(tensor1, tensor2)]
    # libtorch's is that of Python's floats beside integers.
    ours = found is not _dtypes.float32 or any(
        isinstance(t, Tensor) and t.is_floating_point() for t in (tensor1, tensor2)
    )
    return found if ours else _dtypes.default


def promote_types(type1, type2):
    """The smallest dtype that holds both."""
    return by_code[_op("promote_types")(as_dtype(type1), as_dtype(type2))]


def can_cast(from_, to):
    """Whether a conversion is allowed in place."""
    return _op("can_cast")(as_dtype(from_), as_dtype(to))


# Making


def as_tensor(data, dtype=None, device=None):
    """The tensor itself where it has the dtype, otherwise a copy of the data."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(as_dtype(dtype))
    return tensor(data, dtype=dtype, device=device)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False):
    """As as_tensor, with a copy if asked for."""
    made = as_tensor(obj, dtype, device)
    if copy and made is obj:
        made = made.clone()
    return made.detach().requires_grad_(requires_grad) if requires_grad else made


def scalar_tensor(s, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A number as a tensor without axes."""
    made = operator("full", "t")((), s, dtype=dtype or _dtypes.default)
    return made.requires_grad_() if requires_grad else made


def from_numpy(ndarray):
    """A tensor with a copy of an array's elements; numpy must be there."""
    try:
        import numpy
    except ImportError:
        raise RuntimeError("from_numpy: numpy is not there; pass lists or buffers to torch.tensor") from None
    if not isinstance(ndarray, numpy.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    return tensor(memoryview(numpy.ascontiguousarray(ndarray)))


def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A tensor with a copy of a buffer's bytes."""
    data = memoryview(buffer).cast("B")[offset:]
    data = data[: count * dtype.itemsize] if count >= 0 else data
    made = tensor(bytes(data)).view(dtype)
    return made.requires_grad_() if requires_grad else made


# Shapes


def broadcast_shapes(*shapes):
    """The shape that all of these broadcast to."""
    made = []
    for position, shape in enumerate(shapes):
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        made = [1] * (len(shape) - len(made)) + made
        for i in range(-1, -len(shape) - 1, -1):
            if shape[i] == 1 or shape[i] == made[i]:
                continue
            if made[i] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[i]} at {i}! "
                    f"Mismatching argument at index {position} had {shape}; "
                    f"but expected shape should be broadcastable to {made}"
                )
            made[i] = shape[i]
    return Size(made)


def broadcast_tensors(*tensors):
    """All with their common shape."""
    return _op("broadcast_tensors")(_several(tensors))


def align_tensors(*tensors):
    """Refused: axes have no names."""
    raise NotImplementedError("named tensors are not supported")


def atleast_1d(*tensors):
    """With at least one axis."""
    tensors = _several(tensors)
    return _op("atleast_1d")(tensors[0] if len(tensors) == 1 else tensors)


def atleast_2d(*tensors):
    """With at least two axes."""
    tensors = _several(tensors)
    return _op("atleast_2d")(tensors[0] if len(tensors) == 1 else tensors)


def atleast_3d(*tensors):
    """With at least three axes."""
    tensors = _several(tensors)
    return _op("atleast_3d")(tensors[0] if len(tensors) == 1 else tensors)


def block_diag(*tensors):
    """Matrices along a diagonal."""
    return _op("block_diag")(_several(tensors))


def cartesian_prod(*tensors):
    """All combinations of the elements of vectors."""
    return _op("cartesian_prod")(_several(tensors))


def meshgrid(*tensors, indexing=None):
    """Grids of coordinates."""
    tensors = _several(tensors)
    return _op("meshgrid")(tensors, indexing=indexing) if indexing is not None else _op("meshgrid")(tensors)


def split(tensor, split_size_or_sections, dim=0):
    """In parts of so many, or of these, along an axis."""
    return tensor.split(split_size_or_sections, dim)


def nonzero(input, *, as_tuple=False, out=None):
    """The indices of elements that are not zero."""
    if out is not None:
        raise NotImplementedError("nonzero(): out= is not supported; use the result")
    return input.nonzero(as_tuple=as_tuple)


def unravel_index(indices, shape):
    """Flat indices as coordinates."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    coordinates = []
    for size in reversed(shape):
        coordinates.append(indices % size)
        indices = indices // size
    return tuple(reversed(coordinates))


# Products


def einsum(*args):
    """Products and sums of tensors by Einstein's convention."""
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, "
            "or at least one operand and its subscripts list"
        )
    if isinstance(args[0], str):
        return _op("einsum")(args[0], _several(args[1:]))

    def letters(subscripts):
        return "".join("..." if s is Ellipsis else chr(ord("A") + s if s < 26 else ord("a") + s - 26) for s in subscripts)

    operands, lists = args[:-1:2] if len(args) % 2 else args[::2], args[1::2]
    equation = ",".join(map(letters, lists))
    if len(args) % 2:
        equation += "->" + letters(args[-1])
    return _op("einsum")(equation, operands)


def vander(x, N=None, increasing=False):
    """The powers of each element in a row, the highest first."""
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.numel() if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    powers = x.unsqueeze(1).repeat(1, count)
    if count:
        powers[:, 0] = 1
        powers = powers.cumprod(1).to(powers.dtype)
    return powers if increasing else powers.flip(1)


def tensordot(a, b, dims=2, out=None):
    """Products summed over several axes."""
    if out is not None:
        raise NotImplementedError("tensordot(): out= is not supported; use the result")
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else dims.item()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = list(range(-dims, 0)), list(range(dims))
    left, right = dims
    return _op("tensordot")(a, b, left, right)


def chain_matmul(*matrices, out=None):
    """The product of several matrices."""
    return linalg.multi_dot(_several(matrices))


_MODES = {
    "use_mm_for_euclid_dist_if_necessary": None,
    "use_mm_for_euclid_dist": 1,
    "donot_use_mm_for_euclid_dist": 2,
}


def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """Distances between rows."""
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    return _op("cdist")(x1, x2, p, _MODES[compute_mode])


def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """A norm of a tensor, or of its vectors or matrices along axes."""
    if out is not None:
        raise NotImplementedError("norm(): out= is not supported; use the result")
    axes = [dim] if isinstance(dim, int) else dim
    if isinstance(p, str):
        if p == "fro" and (axes is None or len(axes) <= 2):
            return linalg.vector_norm(input, 2, axes, keepdim, dtype=dtype)
        if axes is None:
            axes = list(range(input.dim()))
        return linalg.matrix_norm(input, p, axes, keepdim, dtype=dtype)
    return linalg.vector_norm(input, 2.0 if p is None else p, axes, keepdim, dtype=dtype)


# Searching


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different elements, or slices along an axis."""
    if dim is None:
        found = _op("_unique2")(input, sorted, return_inverse, return_counts)
    else:
        found = _op("unique_dim")(input, dim, sorted, return_inverse, return_counts)
    return _asked(found, return_inverse, return_counts)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements, or slices along an axis, that differ from those before."""
    found = operator("unique_consecutive", "t")(input, return_inverse, return_counts, dim)
    return _asked(found, return_inverse, return_counts)


def _asked(found, inverse, counts):
    values, where, how_many = found
    if inverse:
        return (values, where, how_many) if counts else (values, where)
    return (values, how_many) if counts else values


# Fourier


def stft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    pad_mode="reflect",
    normalized=False,
    onesided=None,
    return_complex=None,
    align_to_window=None,
):
    """The Fourier transform of short windows."""
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    if center:
        axes = input.dim()
        padded = input.view((1,) * (3 - axes) + tuple(input.shape))
        padded = operator("pad", "n")(padded, (n_fft // 2, n_fft // 2), pad_mode)
        input = padded.view(padded.shape[-axes:])
    return operator("stft", "t")(
        input, n_fft, hop_length, win_length, window, normalized, onesided, return_complex, align_to_window
    )


def istft(input, *args, **kwargs):
    """The inverse of stft."""
    return operator("istft", "t")(input, *args, **kwargs)


# Settings


def set_default_tensor_type(t):
    """Sets the default dtype by its legacy name."""
    from jloss._tensor import legacy_dtype, set_default_dtype

    set_default_dtype(legacy_dtype(t) if isinstance(t, str) else t.dtype)


def set_default_device(device):
    """Nothing, as there is only the CPU; refused for others."""
    if device is not None and _dtypes.device(device).type != "cpu":
        raise NotImplementedError("the default device is the CPU")


def set_num_threads(number):
    """Nothing: the threads are the process's."""


def get_num_threads():
    """1, as a script has one."""
    return 1


def use_deterministic_algorithms(mode, *, warn_only=False):
    """Nothing."""


def are_deterministic_algorithms_enabled():
    """False."""
    return False


def set_float32_matmul_precision(precision):
    """Nothing: products are of full precision."""


def get_float32_matmul_precision():
    """ "highest"."""
    return "highest"


def compile(model=None, **options):
    """The function or module itself: there is no compiler."""
    return model if model is not None else lambda function: function


def _assert(condition, message):
    """Raises AssertionError where the condition does not hold."""
    if not condition:
        raise AssertionError(message)


def _assert_async(condition, assert_msg="Expected Tensor with single nonzero value, but got zero"):
    """Raises RuntimeError where the one element is zero."""
    if not condition:
        raise RuntimeError(assert_msg)
