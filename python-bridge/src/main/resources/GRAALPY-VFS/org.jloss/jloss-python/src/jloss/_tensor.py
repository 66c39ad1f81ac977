"""Tensors."""

import math

from _jloss_host import host

from . import _data, _dtypes
from ._data import tensor
from ._dtypes import as_dtype, by_code
from ._errors import call, translated

_NUMBERS = (int, float, bool)


def _wrap(result):
    """What Java returned as Python has it: handles become tensors, arrays tuples."""
    if result is None or isinstance(result, _NUMBERS):
        return result
    if hasattr(result, "numel"):
        made = Tensor.__new__(Tensor)
        made._jloss = result
        return made
    return tuple(_wrap(r) for r in result)


def _call(name, arguments, keywords=None):
    try:
        if not keywords:
            return _wrap(host.call(name, arguments))
        return _wrap(host.callWith(name, arguments, tuple(keywords), tuple(keywords.values())))
    except BaseException as error:
        raise translated(error) from None


def _function(name):
    """A function that calls an operator of libtorch."""
    in_place = name.endswith("_") and not name.endswith("__")

    def function(*args, **kwargs):
        if kwargs:
            if kwargs.get("out") is not None:
                raise TypeError(f"{name}(): out= is not supported; use the result")
            if "dtype" in kwargs and kwargs["dtype"] is not None:
                kwargs["dtype"] = as_dtype(kwargs["dtype"])
            requires_grad = kwargs.pop("requires_grad", False)
        else:
            requires_grad = False
        result = _call(name, args, kwargs)
        if in_place and args and isinstance(result, Tensor):
            return args[0]
        return result.requires_grad_() if requires_grad else result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "\n".join(
        [f"{name}: an operator of libtorch.", "", *(str(s) for s in call(host.schemas, name))]
    )
    return function


_functions = {}


def operator(name):
    """The function of this name, or None if libtorch has none."""
    function = _functions.get(name)
    if function is None and not name.startswith("_") and call(host.hasOperator, name):
        function = _functions[name] = _function(name)
    return function


class Tensor:
    """An array of numbers of one dtype on libtorch, with gradients.

    Made by jloss.tensor(...) and by operators. Its methods are libtorch's operators.
    """

    __hash__ = object.__hash__
    # Comparisons and arithmetic with other libraries' arrays are this class's.
    __array_priority__ = 1000

    def __init__(self, data=()):
        self._jloss = tensor(data, dtype=_dtypes.float32)._jloss

    def __getattr__(self, name):
        # Found once, then a method as any other.
        function = operator(name)
        if function is None:
            import difflib

            near = difflib.get_close_matches(name, dir(type(self)), 1)
            hint = f". Did you mean: '{near[0]}'?" if near else ""
            raise AttributeError(f"'Tensor' object has no attribute '{name}'{hint}")
        setattr(Tensor, name, function)
        return getattr(self, name)

    # What it is

    @property
    def shape(self):
        """The sizes of the axes."""
        return Size(self._jloss.shape())

    def size(self, dim=None):
        """The sizes of the axes, or that of one."""
        return self.shape if dim is None else self.shape[dim]

    def stride(self):
        """The distances of neighbours along the axes, in elements."""
        return tuple(self._jloss.stride())

    @property
    def dtype(self):
        """The element type."""
        return by_code[self._jloss.dtype()]

    @property
    def device(self):
        """Where the data are."""
        return "meta" if self._jloss.isMeta() else "cpu"

    @property
    def ndim(self):
        """How many axes there are."""
        return self._jloss.dim()

    def dim(self):
        """How many axes there are."""
        return self._jloss.dim()

    def numel(self):
        """How many elements there are."""
        return self._jloss.numel()

    nelement = numel

    def element_size(self):
        """How many bytes an element has."""
        return self._jloss.itemsize()

    @property
    def nbytes(self):
        """How many bytes the elements have."""
        return self._jloss.numel() * self._jloss.itemsize()

    def is_floating_point(self):
        """Whether the elements are floating point numbers."""
        return self.dtype.is_floating_point

    def is_contiguous(self):
        """Whether the elements lie in row order without gaps."""
        return self._jloss.isContiguous()

    @property
    def T(self):
        """With the axes reversed."""
        return self.permute(tuple(range(self.ndim - 1, -1, -1)))

    @property
    def mT(self):
        """With the last two axes exchanged."""
        return self.transpose(-2, -1)

    # Gradients

    @property
    def requires_grad(self):
        """Whether operations on it are recorded for backward."""
        return self._jloss.requiresGrad()

    @requires_grad.setter
    def requires_grad(self, value):
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad=True):
        """Has operations on it recorded from now on, or no more."""
        if requires_grad and not self.dtype.is_floating_point:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if not requires_grad and not self.is_leaf:
            raise RuntimeError("you can only change requires_grad flags of leaf variables.")
        _call("requires_grad_", (self, bool(requires_grad)))
        return self

    @property
    def is_leaf(self):
        """Whether it comes from no recorded operation."""
        return self._jloss.isLeaf()

    @property
    def grad_fn(self):
        """The name of the operation that it comes from, None for a leaf."""
        return self._jloss.gradFn()

    @property
    def grad(self):
        """The gradient that backward() left, or None."""
        return _wrap(self._jloss.grad())

    @grad.setter
    def grad(self, value):
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
        call(self._jloss.setGrad, None if value is None else value._jloss)

    @grad.deleter
    def grad(self):
        call(self._jloss.setGrad, None)

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=()):
        """Adds the gradient of this tensor to `grad` of the leaves that it was computed from."""
        if isinstance(inputs, Tensor):
            inputs = (inputs,)
        if retain_graph is None:
            retain_graph = create_graph
        _call("_backward", (self, tuple(inputs), gradient, retain_graph, create_graph))

    @property
    def data(self):
        """The same data, apart from the graph."""
        return self.detach()

    # Elements

    def item(self):
        """The one element as a Python number."""
        return call(self._jloss.item)

    def tolist(self):
        """The elements as nested lists of Python numbers."""
        return _data.to_list(self)

    def tobytes(self):
        """The elements' bytes in row order, as a copy."""
        return _data.to_bytes(self)

    def buffer(self):
        """The elements as a memoryview of this shape: a copy that cannot be written to."""
        return _data.to_buffer(self)

    @property
    def __array_interface__(self):
        """What NumPy and its like read arrays by: a copy of the elements."""
        return _data.array_interface(self)

    def __len__(self):
        shape = self._jloss.shape()
        if len(shape) == 0:
            raise TypeError("len() of a 0-d tensor")
        return shape[0]

    def __iter__(self):
        if self._jloss.dim() == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, element):
        return bool((self == element).any())

    def __bool__(self):
        count = self._jloss.numel()
        if count != 1:
            what = "no values" if count == 0 else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
        return bool(self.item())

    def __int__(self):
        return int(self.item())

    def __float__(self):
        return float(self.item())

    def __index__(self):
        value = self.item()
        if isinstance(value, float):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(value)

    def __getitem__(self, index):
        return _wrap(call(self._jloss.getItem, _index(index)))

    def __setitem__(self, index, value):
        call(self._jloss.setItem, _index(index), value)

    def __repr__(self):
        from ._format import text

        return text(self)

    def __format__(self, spec):
        if self._jloss.dim() == 0:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __copy__(self):
        return self.detach().requires_grad_(self.requires_grad) if self.is_leaf else self.alias()

    def __deepcopy__(self, memo):
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user support the deepcopy protocol")
        copy = self.detach().clone()
        if self.requires_grad:
            copy.requires_grad_()
        memo[id(self)] = copy
        return copy

    def __reduce__(self):
        return _data.restore, (self.dtype._name, tuple(self.shape), self.tobytes(), self.requires_grad)

    # What the schemas do not say

    def to(self, *args, **kwargs):
        """With another dtype or device, or those of another tensor."""
        args = tuple(as_dtype(a) if a in (float, int, bool) else a for a in args) if not any(
            isinstance(a, Tensor) for a in args
        ) else args
        return operator("to")(self, *args, **kwargs)

    def float(self):
        """As float32."""
        return self.to(_dtypes.float32)

    def double(self):
        """As float64."""
        return self.to(_dtypes.float64)

    def half(self):
        """As float16."""
        return self.to(_dtypes.float16)

    def bfloat16(self):
        """As bfloat16."""
        return self.to(_dtypes.bfloat16)

    def long(self):
        """As int64."""
        return self.to(_dtypes.int64)

    def int(self):
        """As int32."""
        return self.to(_dtypes.int32)

    def bool(self):
        """As bool."""
        return self.to(_dtypes.bool)

    def cpu(self):
        """This tensor: there is no other device."""
        return self

    def type_as(self, other):
        """With the dtype of another tensor."""
        return self.to(other.dtype)

    # Operators

    def __neg__(self):
        return _call("neg", (self,))

    def __pos__(self):
        return self

    def __abs__(self):
        return _call("abs", (self,))

    def __invert__(self):
        return _call("bitwise_not", (self,))


# After the class: its methods bool, int and float would hide the types in annotations and calls.
class Size(tuple):
    """The sizes of a tensor's axes."""

    __slots__ = ()

    def numel(self):
        """How many elements a tensor of this shape has."""
        return math.prod(self)

    def __repr__(self):
        return f"{_dtypes.prefix}.Size({list(self)})"

    def __getitem__(self, index):
        part = tuple.__getitem__(self, index)
        return Size(part) if isinstance(index, slice) else part


def _binary(method, name, swapped=False):
    def forward(self, other):
        # Handles, not tensors: Java knows them at first sight, which halves the time of a call.
        if isinstance(other, Tensor):
            other = other._jloss
        elif not isinstance(other, _NUMBERS):
            return NotImplemented
        return _call(name, (other, self._jloss) if swapped else (self._jloss, other))

    forward.__name__ = forward.__qualname__ = method
    setattr(Tensor, method, forward)


for _method, _name in {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "div",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "matmul": "matmul",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
    "eq": "eq",
    "ne": "ne",
    "lt": "lt",
    "le": "le",
    "gt": "gt",
    "ge": "ge",
    "radd": "add",
    "rmul": "mul",
    "rsub": "rsub",
    "rand": "bitwise_and",
    "ror": "bitwise_or",
    "rxor": "bitwise_xor",
}.items():
    _binary(f"__{_method}__", _name)
for _method, _name in {"rpow": "pow", "rmod": "remainder"}.items():
    _binary(f"__{_method}__", _name, swapped=True)


def _rtruediv(self, other):
    if not isinstance(other, _NUMBERS):
        return NotImplemented
    return _call("mul", (_call("reciprocal", (self,)), other))


def _rfloordiv(self, other):
    if not isinstance(other, _NUMBERS):
        return NotImplemented
    return _call("floor_divide", (full_like_number(self, other), self))


Tensor.__rtruediv__ = _rtruediv
Tensor.__rfloordiv__ = _rfloordiv


def full_like_number(like, number):
    """A number as a tensor without axes that takes part in arithmetic with another."""
    dtype = like.dtype if like.dtype.is_floating_point or not isinstance(number, float) else _dtypes.float32
    return _call("full", ((), number), {"dtype": dtype})


def _in_place(method, name):
    def forward(self, other):
        if not isinstance(other, (Tensor, *_NUMBERS)):
            return NotImplemented
        _call(name, (self, other))
        return self

    forward.__name__ = forward.__qualname__ = method
    setattr(Tensor, method, forward)


for _method, _name in {
    "iadd": "add_",
    "isub": "sub_",
    "imul": "mul_",
    "itruediv": "div_",
    "ifloordiv": "floor_divide_",
    "imod": "remainder_",
    "ipow": "pow_",
    "iand": "bitwise_and_",
    "ior": "bitwise_or_",
    "ixor": "bitwise_xor_",
}.items():
    _in_place(f"__{_method}__", _name)


def _index(index):
    """An index as Java takes it: a tuple, with "..." for Ellipsis and tensors for lists."""
    if not isinstance(index, tuple):
        index = (index,)
    return tuple(
        "..." if i is Ellipsis else tensor(i) if isinstance(i, (list, range)) else i for i in index
    )


class set_grad_enabled:
    """Turns the recording of gradients on or off, in a with statement or as a decorator."""

    def __init__(self, mode):
        self._mode = bool(mode)
        self._was = call(host.setGradEnabled, self._mode)

    def __enter__(self):
        call(host.setGradEnabled, self._mode)
        return self

    def __exit__(self, *exception):
        call(host.setGradEnabled, self._was)

    def __call__(self, function):
        import functools

        call(host.setGradEnabled, self._was)

        @functools.wraps(function)
        def run(*args, **kwargs):
            with type(self)() if type(self) is not set_grad_enabled else set_grad_enabled(self._mode):
                return function(*args, **kwargs)

        return run


class no_grad(set_grad_enabled):
    """No gradients are recorded within."""

    def __init__(self, function=None):
        self._mode, self._was = False, is_grad_enabled()

    def __enter__(self):
        self._was = call(host.setGradEnabled, self._mode)
        return self


class enable_grad(no_grad):
    """Gradients are recorded within."""

    def __init__(self):
        self._mode, self._was = True, is_grad_enabled()


def is_grad_enabled():
    """Whether gradients are recorded."""
    return call(host.isGradEnabled)


def manual_seed(seed):
    """Seeds the random numbers: the same as in PyTorch on the CPU."""
    call(host.manualSeed, seed)
