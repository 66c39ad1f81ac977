"""Layers and losses as functions."""

import math
import warnings

import torch
from torch.nn import _reduction as _Reduction

# Operators of libtorch that PyTorch lists here as they are.
_OPERATORS = frozenset(
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc avg_pool1d avg_pool2d avg_pool3d "
    "adaptive_avg_pool1d linear bilinear gelu softplus hardshrink softshrink prelu pixel_shuffle pixel_unshuffle "
    "channel_shuffle native_channel_shuffle pairwise_distance pdist cosine_similarity scaled_dot_product_attention "
    "relu_ rrelu_ selu_ celu_ threshold_ hardtanh_ elu_ leaky_relu_ "
    "rms_norm".split()
)


def __getattr__(name):
    if name in _OPERATORS:
        found = globals()[name] = getattr(torch, name)
        return found
    raise AttributeError(f"module 'torch.nn.functional' has no attribute '{name}'", name=name)


def __dir__():
    return sorted({*(n for n in globals() if not n.startswith("_")), *_OPERATORS})


def _maybe_in_place(name, inplace):
    return getattr(torch, name + "_" if inplace else name)


def _repeated(value, count):
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * count


def _code(loss_arguments):
    return _Reduction.get_enum(_Reduction.resolve(*loss_arguments))


def _reduced(loss, reduction, mean, error):
    """A loss an element as one number; mean and error are functions."""
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return mean(loss)
    raise error()


# Activations


def threshold(input, threshold, value, inplace=False):
    """Elements where they are above the threshold, value elsewhere."""
    return _maybe_in_place("threshold", inplace)(input, threshold, value)


def relu(input, inplace=False):
    """max(x, 0)."""
    return _maybe_in_place("relu", inplace)(input)


def relu6(input, inplace=False):
    """min(max(x, 0), 6)."""
    return _maybe_in_place("relu6", inplace)(input)


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """Elements clamped to [min_val, max_val]."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _maybe_in_place("hardtanh", inplace)(input, min_val, max_val)


def elu(input, alpha=1.0, inplace=False):
    """x where it is positive, alpha (exp(x) - 1) elsewhere."""
    return _maybe_in_place("elu", inplace)(input, alpha)


def selu(input, inplace=False):
    """ELU scaled so that means and variances are kept."""
    return _maybe_in_place("selu", inplace)(input)


def celu(input, alpha=1.0, inplace=False):
    """max(x, 0) + min(0, alpha (exp(x / alpha) - 1))."""
    return _maybe_in_place("celu", inplace)(input, alpha)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where it is positive, negative_slope x elsewhere."""
    return _maybe_in_place("leaky_relu", inplace)(input, negative_slope)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """Leaky ReLU whose slope is drawn from [lower, upper] in training."""
    return _maybe_in_place("rrelu", inplace)(input, lower, upper, training)


def hardsigmoid(input, inplace=False):
    """relu6(x + 3) / 6."""
    return _maybe_in_place("hardsigmoid", inplace)(input)


def hardswish(input, inplace=False):
    """x relu6(x + 3) / 6."""
    return _maybe_in_place("hardswish", inplace)(input)


def silu(input, inplace=False):
    """x sigmoid(x)."""
    return _maybe_in_place("silu", inplace)(input)


def mish(input, inplace=False):
    """x tanh(softplus(x))."""
    return _maybe_in_place("mish", inplace)(input)


def logsigmoid(input):
    """log(sigmoid(x))."""
    return torch.log_sigmoid(input)


def tanh(input):
    """The hyperbolic tangent."""
    return input.tanh()


def sigmoid(input):
    """1 / (1 + exp(-x))."""
    return input.sigmoid()


def tanhshrink(input):
    """x - tanh(x)."""
    return input - input.tanh()


def softsign(input):
    """x / (1 + |x|)."""
    return input / (input.abs() + 1)


def glu(input, dim=-1):
    """The first half along dim times the sigmoid of the second."""
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return torch.glu(input, dim)


def _implied_dim(name, input):
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=4,
    )
    return 0 if input.dim() in (0, 1, 3) else 1


def _softmax(name, input, dim, dtype):
    if dim is None:
        dim = _implied_dim(name, input)
    if name == "softmin":
        name, input = "softmax", -input
    return getattr(input, name)(dim) if dtype is None else getattr(input, name)(dim, dtype=dtype)


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(x) divided by its sum along dim."""
    return _softmax("softmax", input, dim, dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """softmax(-x)."""
    return _softmax("softmin", input, dim, dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """log(softmax(x))."""
    return _softmax("log_softmax", input, dim, dtype)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """Samples of the Gumbel-softmax distribution; hard: one-hot, with the gradient of the soft ones."""
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    gumbels = -torch.empty(logits.shape, dtype=logits.dtype).exponential_().log()
    soft = ((logits + gumbels) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    one_hot = torch.zeros(logits.shape, dtype=logits.dtype).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft


# Dropout


def _check_probability(p):
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input, p=0.5, training=True, inplace=False):
    """In training: elements made zero with probability p, the others divided by 1 - p."""
    _check_probability(p)
    return _maybe_in_place("dropout", inplace)(input, p, training)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout that keeps mean and variance of SELU's outputs."""
    _check_probability(p)
    return _maybe_in_place("alpha_dropout", inplace)(input, p, training)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """alpha_dropout of whole channels."""
    _check_probability(p)
    return _maybe_in_place("feature_alpha_dropout", inplace)(input, p, training)


def _channel_dropout(input, p, training, inplace, batched):
    if not batched:
        input = _of(input, "unsqueeze", inplace, 0)
    result = _maybe_in_place("feature_dropout", inplace)(input, p, training)
    return result if batched else _of(result, "squeeze", inplace, 0)


def _of(tensor, name, inplace, *arguments):
    return getattr(tensor, name + "_" if inplace else name)(*arguments)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, L) or (C, L)."""
    _check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that dropout1d exists to "
            "provide channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional "
            "batch dimension (i.e. 2D or 3D inputs)."
        )
    return _channel_dropout(input, p, training, inplace, input.dim() == 3)


def _warn_dims(name, input, spatial):
    warnings.warn(
        f"{name}: Received a {input.dim()}-D input to {name}, which is deprecated and will result in an error in a "
        "future release. To retain the behavior and silence this warning, please use dropout instead. Note that "
        f"{name} exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel "
        f"dimension, and an optional batch dimension (i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        stacklevel=3,
    )


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, H, W)."""
    _check_probability(p)
    if input.dim() not in (3, 4):
        _warn_dims("dropout2d", input, 2)
    if input.dim() == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is "
            "desired - input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will "
            "change in a future release to interpret the input as one without a batch dimension, i.e. shape "
            "(C, H, W). To maintain the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    return _channel_dropout(input, p, training, inplace, True)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check_probability(p)
    if input.dim() not in (4, 5):
        _warn_dims("dropout3d", input, 3)
    return _channel_dropout(input, p, training, inplace, input.dim() == 5)


# Embeddings


def one_hot(tensor, num_classes=-1):
    """Classes as rows that are one at the class and zero elsewhere."""
    return torch.one_hot(tensor, num_classes)


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    """The rows of weight that input names."""
    _refuse_sparse(sparse)
    rows = weight.size(0)
    if padding_idx is None:
        padding_idx = -1
    else:
        assert -rows <= padding_idx < rows, "Padding_idx must be within num_embeddings"
        padding_idx %= rows
    if max_norm is not None:
        input = input.contiguous()
        torch.embedding_renorm_(weight.detach(), input, max_norm, norm_type)
    return torch.embedding(weight, input, padding_idx, scale_grad_by_freq, False)


def _refuse_sparse(sparse):
    if sparse:
        raise NotImplementedError("sparse=True: sparse gradients are not supported")


def embedding_bag(
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """The sum, mean or maximum of the rows of weight that each bag of input names."""
    _refuse_sparse(sparse)
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        offsets = torch.arange(0, input.numel(), input.size(1), dtype=input.dtype)
        include_last_offset = False
        input = input.reshape(-1)
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None:
            raise ValueError("offsets has to be a 1D Tensor but got None")
        if offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor")
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    codes = {"sum": 0, "mean": 1, "max": 2}
    if mode not in codes:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if max_norm is not None:
        torch.embedding_renorm_(weight.detach(), input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'). Please open a feature request on GitHub."
        )
    return torch.embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        codes[mode],
        False,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )[0]


# Normalisation


def _check_more_than_one(sizes, size, what):
    if math.prod(sizes) == 1:
        raise ValueError(f"Expected more than 1 {what} when training, got input size {size}")


def batch_norm(
    input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05
):
    """Each channel normalised by the mean and variance of the batch, or by the running ones."""
    if training:
        size = input.size()
        _check_more_than_one((size[0], *size[2:]), size, "value per channel")
    if eps <= 0.0:
        raise ValueError(f"batch_norm eps must be positive, but got {eps}")
    return torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, False)


def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05
):
    """Each channel of each sample normalised by its own mean and variance."""
    if use_input_stats:
        _check_more_than_one(input.shape[2:], input.size(), "spatial element")
    return torch.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, False)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """Normalised over the last axes."""
    return torch.layer_norm(input, normalized_shape, weight, bias, eps, False)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """Each group of channels of each sample normalised."""
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    batch, channels, *rest = input.shape
    size = [batch * channels // num_groups, num_groups, *rest]
    _check_more_than_one((size[0], *rest), size, "value per channel")
    return torch.group_norm(input, num_groups, weight, bias, eps, False)


def local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0):
    """Divided by a power of the mean square of neighbouring channels."""
    dim = input.dim()
    if dim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {dim} dimensions)")
    if input.numel() == 0:
        return input
    square = (input * input).unsqueeze(1)
    if dim == 3:
        square = pad(square, (0, 0, size // 2, (size - 1) // 2))
        square = torch.avg_pool2d(square, (size, 1), stride=1).squeeze(1)
    else:
        shape = input.shape
        square = square.view(shape[0], 1, shape[1], shape[2], -1)
        square = pad(square, (0, 0, 0, 0, size // 2, (size - 1) // 2))
        square = torch.avg_pool3d(square, (size, 1, 1), stride=1).squeeze(1).view(shape)
    return input / square.mul(alpha).add(k).pow(beta)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """Divided by the p-norm along dim, at least eps."""
    if out is not None:
        raise TypeError("normalize(): out= is not supported; use the result")
    return input / input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)


# Pooling


def _max_pool(axes):
    name, with_indices = f"max_pool{axes}d", f"max_pool{axes}d_with_indices"

    def pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        stride = [] if stride is None else stride
        run = getattr(torch, with_indices if return_indices else name)
        return run(input, kernel_size, stride, padding, dilation, ceil_mode)

    def pool_with_indices(
        input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
    ):
        return pool(input, kernel_size, stride, padding, dilation, ceil_mode, True)

    pool.__name__, pool.__doc__ = name, "The maximum of each window; with its index where return_indices."
    pool_with_indices.__name__, pool_with_indices.__doc__ = with_indices, "The maximum of each window and its index."
    return pool, pool_with_indices


max_pool1d, max_pool1d_with_indices = _max_pool(1)
max_pool2d, max_pool2d_with_indices = _max_pool(2)
max_pool3d, max_pool3d_with_indices = _max_pool(3)


def _max_unpool(axes):
    def unpool(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        kernel, padding = _repeated(kernel_size, axes), _repeated(padding, axes)
        stride = kernel if stride is None else _repeated(stride, axes)
        size = _unpooled_size(input.shape[-axes:], kernel, stride, padding, output_size)
        if axes == 3:
            return torch.max_unpool3d(input, indices, size, stride, padding)
        if axes == 2:
            return torch.max_unpool2d(input, indices, size)
        return torch.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), (*size, 1)).squeeze(-1)

    unpool.__name__, unpool.__doc__ = f"max_unpool{axes}d", "Elements at the indices that max pooling gave, 0 elsewhere."
    return unpool


def _unpooled_size(size, kernel, stride, padding, asked):
    usual = [(n - 1) * s + k - 2 * p for n, s, k, p in zip(size, stride, kernel, padding)]
    if asked is None:
        return usual
    axes = len(kernel)
    if len(asked) == axes + 2:
        asked = asked[2:]
    if len(asked) != axes:
        raise ValueError(
            f"output_size should be a sequence containing {axes} or {axes + 2} elements, "
            f"but it has a length of '{len(asked)}'"
        )
    for d, (given, n, s) in enumerate(zip(asked, usual, stride)):
        if not n - s < given < n + s:
            raise ValueError(f'invalid output_size "{asked}" (dim {d} must be between {n - s} and {n + s})')
    return asked


max_unpool1d, max_unpool2d, max_unpool3d = map(_max_unpool, (1, 2, 3))


def _output_size(size, input, axes):
    """The size of an adaptive pool's output; None keeps the input's."""
    if not isinstance(size, (list, tuple)):
        return (size,) * axes
    rest = input.shape[-len(size) :]
    if input.dim() <= len(size):
        raise ValueError(f"Input dimension should be at least {len(size) + 1}")
    return [own if given is None else given for given, own in zip(size, rest)]


def adaptive_avg_pool2d(input, output_size):
    """Means of as many windows as output_size asks for."""
    return torch.adaptive_avg_pool2d(input, _output_size(output_size, input, 2))


def adaptive_avg_pool3d(input, output_size):
    """Means of as many windows as output_size asks for."""
    return torch.adaptive_avg_pool3d(input, _output_size(output_size, input, 3))


def _adaptive_max_pool(axes):
    def pool(input, output_size, return_indices=False):
        both = getattr(torch, f"adaptive_max_pool{axes}d")(input, _output_size(output_size, input, axes))
        return both if return_indices else both[0]

    pool.__name__, pool.__doc__ = f"adaptive_max_pool{axes}d", "Maxima of as many windows as output_size asks for."
    return pool


adaptive_max_pool1d = _adaptive_max_pool(1)
adaptive_max_pool2d = _adaptive_max_pool(2)
adaptive_max_pool3d = _adaptive_max_pool(3)


def _lp_pool(axes):
    def pool(input, norm_type, kernel_size, stride=None, ceil_mode=False):
        mean = getattr(torch, f"avg_pool{axes}d")(
            input.pow(norm_type), kernel_size, [] if stride is None else stride, 0, ceil_mode
        )
        count = math.prod(_repeated(kernel_size, axes))
        return (torch.sign(mean) * relu(torch.abs(mean))).mul(count).pow(1.0 / norm_type)

    pool.__name__, pool.__doc__ = f"lp_pool{axes}d", "The norm of each window."
    return pool


lp_pool1d, lp_pool2d, lp_pool3d = map(_lp_pool, (1, 2, 3))


def _fractional_max_pool(axes):
    name = f"fractional_max_pool{axes}d"

    def with_indices(
        input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
    ):
        if output_size is None and output_ratio is None:
            raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
        kernel = _repeated(kernel_size, axes)
        sizes = [input.size(axis) for axis in range(-axes, 0)]
        if output_size is None:
            ratios = _repeated(output_ratio, axes)
            output = [int(size * ratio) for size, ratio in zip(sizes, ratios)]
        else:
            output = _repeated(output_size, axes)
        batched = input if input.dim() == axes + 2 else input.unsqueeze(0)
        count, channels = batched.shape[:2]
        if _random_samples is None:
            _random_samples = torch.rand(count, channels, axes, dtype=input.dtype)
        elif tuple(_random_samples.shape) != (count, channels, axes):
            raise RuntimeError(
                f"{name}: expected _random_samples of shape {[count, channels, axes]}, got {list(_random_samples.shape)}"
            )
        # Of two axes PyTorch gives the first sample to the last one.
        samples = _random_samples.flip(-1) if axes == 2 else _random_samples
        windows, places = batched, torch.arange(math.prod(sizes)).reshape(sizes).expand_as(batched)
        for axis in range(axes):
            starts = _starts(name, samples[..., axis], sizes[axis], output[axis], kernel[axis])
            taken = (starts.unsqueeze(-1) + torch.arange(kernel[axis])).flatten(2)
            index = taken.reshape(count, channels, *(-1 if a == axis else 1 for a in range(axes)))
            windows, places = (torch.take_along_dim(x, index, 2 + axis) for x in (windows, places))
        # Each axis is now output times kernel long: the kernels' parts go last.
        parts = [2 + i for axis in range(axes) for i in (2 * axis, 2 * axis + 1)]
        order = (0, 1, *parts[::2], *parts[1::2])
        split = [size for pair in zip(output, kernel) for size in pair]
        windows, places = (
            x.reshape(count, channels, *split).permute(order).flatten(2 + axes) for x in (windows, places)
        )
        found, at = windows.max(-1)
        indices = places.gather(-1, at.unsqueeze(-1)).squeeze(-1)
        return (found, indices) if batched is input else (found.squeeze(0), indices.squeeze(0))

    def pool(*args, return_indices=False, **kwargs):
        found, indices = with_indices(*args, **kwargs)
        return (found, indices) if return_indices or len(args) > 4 and args[4] else found

    pool.__name__, pool.__doc__ = name, "The maxima of windows at places drawn at random."
    return pool, with_indices


def _starts(name, samples, size, output, kernel):
    """Where the windows along an axis begin, the last at its end."""
    if output + kernel - 1 > size:
        raise RuntimeError(f"{name}(): pool size {kernel} too large relative to input size {size}")
    if output == 1:
        return torch.full((*samples.shape, 1), size - kernel)
    alpha = (size - kernel) / (output - 1)
    samples = samples.unsqueeze(-1)
    starts = ((torch.arange(output) + samples) * alpha).long() - (samples * alpha).long()
    starts[..., -1] = size - kernel
    return starts.clamp(0, size - kernel)


fractional_max_pool2d, fractional_max_pool2d_with_indices = _fractional_max_pool(2)
fractional_max_pool3d, fractional_max_pool3d_with_indices = _fractional_max_pool(3)


# Shapes and images


def pad(input, pad, mode="constant", value=None):
    """Padded at the ends of the last axes: (left, right) of the last, then of the one before, ..."""
    return torch.pad(input, pad, mode, value)


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of a batch of images as columns."""
    return torch.im2col(input, *(_repeated(v, 2) for v in (kernel_size, dilation, padding, stride)))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns of windows summed into a batch of images."""
    return torch.col2im(input, *(_repeated(v, 2) for v in (output_size, kernel_size, dilation, padding, stride)))


_RESAMPLERS = {
    ("nearest", 3): "upsample_nearest1d",
    ("nearest", 4): "upsample_nearest2d",
    ("nearest", 5): "upsample_nearest3d",
    ("linear", 3): "upsample_linear1d",
    ("bilinear", 4): "upsample_bilinear2d",
    ("bicubic", 4): "upsample_bicubic2d",
    ("trilinear", 5): "upsample_trilinear3d",
}


def interpolate(
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """Images resampled to a size, or by a factor."""
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    elif align_corners is None:
        align_corners = False
    axes = input.dim() - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = _repeated(scale_factor if size is None else size, axes)
    if len(given) != axes:
        spatial = list(input.shape[2:])
        if size is not None:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {spatial} and output size of {size}. Please provide input tensor in (N, C, d1, d2, "
                "...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {spatial} and scale_factor of shape {scale_factor}. Please provide input tensor in (N, C, "
            "d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    output_size, factors = (given, None) if size is not None else (None, [float(f) for f in given])
    if size is not None:
        if not all(isinstance(s, int) for s in given):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got "
                f"size with types {[type(s) for s in given]}"
            )
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if factors is not None and (recompute_scale_factor or mode == "area"):
        output_size = [int(n * f) for n, f in zip(input.shape[2:], factors)]
        factors = None
    if antialias and not (mode in ("bilinear", "bicubic") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )
    if mode == "area" and input.dim() in (3, 4, 5):
        return getattr(torch, f"adaptive_avg_pool{axes}d")(input, output_size)
    if antialias or mode == "nearest-exact":
        raise NotImplementedError(f"interpolate: mode='{mode}' with antialias={antialias} is not supported")
    name = _RESAMPLERS.get((mode, input.dim()))
    if name is None:
        wanted = {"linear": 3, "bilinear": 4, "trilinear": 5}.get(mode)
        if wanted and input.dim() in (3, 4, 5):
            raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs {wanted}D input")
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) for the modes: nearest | "
            f"linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if mode == "nearest":
        return getattr(torch, name)(input, output_size, factors)
    return getattr(torch, name)(input, output_size, align_corners, factors)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """Deprecated: interpolate."""
    warnings.warn(
        "`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2
    )
    return interpolate(input, size, scale_factor, mode, align_corners)


_ALIGN_CORNERS = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """Images sampled at the points of a grid, which run from -1 to 1."""
    modes = {"bilinear": 0, "nearest": 1, "bicubic": 2}
    paddings = {"zeros": 0, "border": 1, "reflection": 2}
    if mode not in modes:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in paddings:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warnings.warn(_ALIGN_CORNERS, stacklevel=2)
        align_corners = False
    return torch.grid_sampler(input, grid, modes[mode], paddings[padding_mode], align_corners)


def affine_grid(theta, size, align_corners=None):
    """The grid that samples an image of a size as affine matrices map it."""
    if align_corners is None:
        warnings.warn(_ALIGN_CORNERS, stacklevel=2)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    axes = len(size) - 2
    if axes not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{size}."
        )
    if theta.dim() != 3 or tuple(theta.shape[-2:]) != (axes, axes + 1):
        raise ValueError(
            f"Expected a batch of {axes}D affine matrices of shape Nx{axes}x{axes + 1} for size {size}. "
            f"Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return torch.affine_grid_generator(theta, size, align_corners)


# Losses


def _broadcast(input, target):
    """Both with their common shape, and a warning where they have two."""
    if isinstance(input, torch.Tensor) and isinstance(target, torch.Tensor) and target._jloss.isShapedLike(input._jloss):
        return input, target
    if target.size() != input.size():
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            stacklevel=3,
        )
    return torch.broadcast_tensors(input, target)


def _weighted(loss, weight, input, reduction, mean):
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")
    return _reduced(
        loss * weight,
        reduction,
        mean,
        lambda: ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'."),
    )


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|."""
    input_, target = _broadcast(input, target)
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if weight is None:
        return torch.l1_loss(input_, target, _Reduction.get_enum(reduction))
    return _weighted(torch.abs(input_ - target), weight, input, reduction, lambda l: l.sum() / weight.sum())


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)^2."""
    input_, target = _broadcast(input, target)
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if weight is None:
        return torch.mse_loss(input_, target, _Reduction.get_enum(reduction))
    return _weighted(torch.pow(input_ - target, 2), weight, input, reduction, lambda l: l.sum() / weight.sum())


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """Squared below beta, divided by 2 beta; linear above."""
    input, target = _broadcast(input, target)
    code = _code((size_average, reduce, reduction))
    return torch.l1_loss(input, target, code) if beta == 0.0 else torch.smooth_l1_loss(input, target, code, beta)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """Half the square below delta, linear above."""
    input_, target = _broadcast(input, target)
    if weight is None:
        return torch.huber_loss(input_, target, _Reduction.get_enum(reduction), delta)
    return _weighted(torch.huber_loss(input_, target, 0, delta), weight, input, reduction, lambda l: l.mean())


def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """The negative log probability of the target, given as classes or probabilities, under logits."""
    return torch.cross_entropy_loss(
        input, target, weight, _code((size_average, reduce, reduction)), ignore_index, float(label_smoothing)
    )


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """The negative of the log probability at the target's class."""
    return torch.nll_loss_nd(input, target, weight, _code((size_average, reduce, reduction)), ignore_index)


def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction="mean"
):
    """The negative log likelihood of counts under a Poisson distribution."""
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not a valid value for reduction")
    return torch.poisson_nll_loss(input, target, log_input, full, eps, _Reduction.get_enum(reduction))


def gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction="mean"):
    """The negative log likelihood of values under a normal distribution."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * torch.ones_like(input)
    elif bool(torch.any(var < 0)):
        raise ValueError("var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = torch.unsqueeze(var, -1)
        elif not (input.dim() == var.dim() and sum(b for a, b in zip(input.shape, var.shape) if a != b) == 1):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    # The lower bound has no gradient of its own.
    var = var.clone()
    with torch.no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (torch.log(var) + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return loss if reduction == "none" else getattr(loss, reduction)()


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target (log(target) - input), where input holds log probabilities."""
    if size_average is not None or reduce is not None:
        code = _Reduction.legacy_get_enum(size_average, reduce)
    else:
        if reduction == "mean":
            warnings.warn(
                "reduction: 'mean' divides the total loss by both the batch size and the support size."
                "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
                "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
                stacklevel=2,
            )
        code = _Reduction.get_enum("sum" if reduction == "batchmean" else reduction)
    loss = torch.kl_div(input, target, code, log_target=log_target)
    return loss / input.size(0) if reduction == "batchmean" and input.dim() != 0 else loss


def _broadcast_shape(a, b):
    size = []
    for i in range(-max(len(a), len(b)), 0):
        m, n = (a[i] if -i <= len(a) else 1), (b[i] if -i <= len(b) else 1)
        if m != n and m != 1 and n != 1:
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension "
                f"{i + max(len(a), len(b))}"
            )
        size.append(n if m == 1 else m)
    return size


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The cross entropy of probabilities with targets of 0 to 1."""
    code = _code((size_average, reduce, reduction))
    if target.size() != input.size():
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        weight = weight.expand(_broadcast_shape(target.shape, weight.shape))
    return torch.binary_cross_entropy(input, target, weight, code)


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """The cross entropy of logits with targets of 0 to 1."""
    code = _code((size_average, reduce, reduction))
    if target.size() != input.size():
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    return torch.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target (input1 - input2) + margin)."""
    code = _code((size_average, reduce, reduction))
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return torch.margin_ranking_loss(input1, input2, target, float(margin), code)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where the target is 1, max(0, margin - input) where it is -1."""
    return torch.hinge_embedding_loss(input, target, float(margin), _code((size_average, reduce, reduction)))


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The margin of each target class over each other one; targets end at the first -1."""
    return torch.multilabel_margin_loss(input, target, _code((size_average, reduce, reduction)))


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target input))."""
    return torch.soft_margin_loss(input, target, _code((size_average, reduce, reduction)))


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The binary cross entropy of logits, averaged over the classes."""
    reduction = _Reduction.resolve(size_average, reduce, reduction)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    axis = input.dim() - 1
    loss = loss.sum(dim=axis) / input.size(axis)
    return _reduced(loss, reduction, lambda l: l.mean(), lambda: ValueError(reduction + " is not valid"))


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1."""
    return torch.cosine_embedding_loss(
        input1, input2, target, float(margin), _code((size_average, reduce, reduction))
    )


def multi_margin_loss(
    input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean of max(0, margin - input[target] + input[c])^p over the other classes."""
    code = _code((size_average, reduce, reduction))
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    return torch.multi_margin_loss(input, target, p, margin, weight, code)


def triplet_margin_loss(
    anchor,
    positive,
    negative,
    margin=1.0,
    p=2,
    eps=1e-06,
    swap=False,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin)."""
    code = _code((size_average, reduce, reduction))
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return torch.triplet_margin_loss(
        anchor, positive, negative, float(margin), float(p), float(eps), swap, code
    )


def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """triplet_margin_loss with a distance of one's own."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    dims = anchor.dim(), positive.dim(), negative.dim()
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    distance = distance_function or torch.pairwise_distance
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = torch.minimum(to_negative, distance(positive, negative))
    loss = torch.clamp_min(margin + to_positive - to_negative, 0)
    return loss if reduction == "none" else getattr(loss, reduction)()


def ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False
):
    """Connectionist temporal classification of sequences (T, N, C) of log probabilities."""
    from torch._checked import ctc_loss as checked

    return checked(
        log_probs,
        targets,
        input_lengths,
        target_lengths,
        blank,
        _Reduction.get_enum(reduction),
        zero_infinity,
    )


# Attention


def _mask(mask, name, dtype):
    """A mask as numbers to add: -inf where a boolean one is true."""
    if mask is None or mask.is_floating_point():
        return mask
    if mask.dtype != torch.bool:
        raise AssertionError(f"only bool and floating types of {name} are supported")
    return torch.zeros_like(mask, dtype=dtype).masked_fill_(mask, float("-inf"))


def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention in several heads: the output (L, N, E), and the weights where need_weights."""
    if static_k is not None or static_v is not None:
        raise NotImplementedError("multi_head_attention_forward: static_k and static_v are not supported")
    batched = query.dim() == 3
    if query.dim() not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
        )
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    heads = batch * num_heads
    if width != embed_dim_to_check:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    key_padding_mask = _mask(key_padding_mask, "key_padding_mask", query.dtype)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _mask(attn_mask, "attn_mask", query.dtype)
        is_causal = is_causal and key_padding_mask is None
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
    else:
        weights = in_proj_weight.chunk(3)
    biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
    q, k, v = (torch.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases))
    extra = 0
    if bias_k is not None:
        k = torch.cat([k, bias_k.repeat(1, batch, 1)])
        v = torch.cat([v, bias_v.repeat(1, batch, 1)])
        extra += 1
    q, k, v = (x.reshape(x.shape[0], heads, head).transpose(0, 1) for x in (q, k, v))
    if add_zero_attn:
        zero = torch.zeros((heads, 1, head), dtype=k.dtype)
        k, v = torch.cat([k, zero], 1), torch.cat([v, zero], 1)
        extra += 1
    source = k.size(1)
    if attn_mask is not None:
        if attn_mask.dim() == 2:
            attn_mask = attn_mask.unsqueeze(0)
        wanted = ((1, length, source - extra), (heads, length, source - extra))
        if tuple(attn_mask.shape) not in wanted:
            raise RuntimeError(f"The shape of the attn_mask is {attn_mask.shape}, but should be one of {wanted}.")
        attn_mask = pad(attn_mask, (0, extra))
    if key_padding_mask is not None:
        padded = pad(key_padding_mask, (0, extra)).view(batch, 1, 1, source)
        padded = padded.expand(-1, num_heads, -1, -1).reshape(heads, 1, source)
        attn_mask = padded if attn_mask is None else attn_mask + padded
    dropout_p = dropout_p if training else 0.0
    if not need_weights:
        if attn_mask is not None and attn_mask.size(0) != 1:
            attn_mask = attn_mask.view(batch, num_heads, -1, source)
        elif attn_mask is not None:
            attn_mask = attn_mask.unsqueeze(0)
        q, k, v = (x.reshape(batch, num_heads, -1, head) for x in (q, k, v))
        output = torch.scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
        output = output.permute(2, 0, 1, 3).reshape(length, batch, width)
        output = torch.linear(output, out_proj_weight, out_proj_bias)
        return (output if batched else output.squeeze(1)), None
    scaled = q * math.sqrt(1.0 / head)
    scores = scaled.bmm(k.transpose(-2, -1)) if attn_mask is None else torch.baddbmm(attn_mask, scaled, k.transpose(-2, -1))
    attention = scores.softmax(-1)
    if dropout_p > 0.0:
        attention = dropout(attention, dropout_p)
    output = attention.bmm(v).transpose(0, 1).reshape(length, batch, width)
    output = torch.linear(output, out_proj_weight, out_proj_bias)
    attention = attention.view(batch, num_heads, length, source)
    if average_attn_weights:
        attention = attention.mean(1)
    return (output, attention) if batched else (output.squeeze(1), attention.squeeze(0))
