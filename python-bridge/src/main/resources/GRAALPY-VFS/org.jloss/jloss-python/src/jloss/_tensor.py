"""Tensors."""

import math

from _jloss_host import host

from . import _data, _dtypes
from ._data import tensor
from ._dtypes import as_dtype, by_code
from ._errors import call, translated

_NUMBERS = (int, float, bool, complex)
_new = object.__new__


def wrap_tensor(handle):
    """Java's tensor as Python has it."""
    made = _new(Tensor)
    made._jloss = handle
    return made


def _wrap(result):
    """What Java returned as Python has it: handles become tensors, arrays tuples."""
    if result is None or isinstance(result, _NUMBERS):
        return result
    if hasattr(result, "numel"):
        return wrap_tensor(result)
    return tuple(_wrap(r) for r in result)


def _call(name, arguments, keywords=None):
    return operator(name)(*arguments, **(keywords or {}))


def _function(name, java):
    """A function or method that calls an operator of libtorch."""
    in_place = name.endswith("_") and not name.endswith("__")
    call1, call2, call3, many, keyed = java.call1, java.call2, java.call3, java.call, java.callWith
    records = {}

    def function(*args, **kwargs):
        # Handles, not tensors: Java knows them at first sight. Of subclasses it tells the name.
        try:
            if kwargs:
                handle = keyed(args, tuple(kwargs), tuple(kwargs.values()))
            elif len(args) == 1:
                (a,) = args
                handle = call1(a._jloss if type(a) is Tensor else a)
            elif len(args) == 2:
                a, b = args
                handle = call2(a._jloss if type(a) is Tensor else a, b._jloss if type(b) is Tensor else b)
            elif len(args) == 3:
                a, b, c = args
                handle = call3(
                    a._jloss if type(a) is Tensor else a,
                    b._jloss if type(b) is Tensor else b,
                    c._jloss if type(c) is Tensor else c,
                )
            else:
                handle = many(args)
        except BaseException as error:
            raise translated(error) from None
        if in_place and args:
            return args[0]
        if handle is not None:
            made = _new(Tensor)
            made._jloss = handle
            return made
        result = _wrap(java.other())
        if type(result) is tuple:
            count = len(result)
            record = records.get(count)
            if record is None:
                record = records[count] = _record(name, call(java.fields, count))
            return record(result)
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"An operator of libtorch:\n\n{java.signatures()}"
    function._jloss_operator = java
    return function


def _record(name, fields):
    if fields is None:
        return tuple
    from ._records import record

    return record(name, tuple(fields))


_functions = {}


def operator(name, places="tnflsp"):
    """The function of this name, or None if there is none that scripts may call.

    places: where PyTorch has it: t torch, m Tensor, n nn, f fft, l linalg, s special, p for this
    package alone.
    """
    key = places, name
    function = _functions.get(key)
    if function is None:
        java = call(host.operator, places, name)
        if java is not None:
            function = _functions[key] = _function(name, java)
    return function


def missing(owner, name, names):
    """The AttributeError for a name that is not there, with the nearest of those that `names` gives.

    Private names are asked for by what looks for protocols: those get none.
    """
    hint = ""
    if name[:1] != "_":
        import difflib

        near = difflib.get_close_matches(name, names(), 1, 0.8)
        hint = f". Did you mean: '{near[0]}'?" if near else ""
    return AttributeError(f"{owner} has no attribute '{name}'{hint}", name=name)


def _bind(cls, owner, name):
    """An operator as a method of Tensor, found once: then it is one as any other."""
    function = operator(name, "m") if name[:1] != "_" else None
    if function is None:
        raise missing(owner, name, lambda: [*dir(cls), *call(host.operators, "m")])
    setattr(Tensor, name, function)
    return function


class _TensorType(type):
    def __getattr__(cls, name):
        return _bind(cls, f"type object '{cls.__name__}'", name)


class Tensor(metaclass=_TensorType):
    """An array of numbers of one dtype on libtorch, with gradients.

    Made by jloss.tensor(...) and by operators. Its methods are libtorch's operators.
    """

    __hash__ = object.__hash__
    # Comparisons and arithmetic with other libraries' arrays are this class's.
    __array_priority__ = 1000

    def __new__(cls, *args, device=None):
        made = object.__new__(cls)
        if len(args) == 1 and not isinstance(args[0], int):
            made._jloss = tensor(args[0], dtype=_dtypes.default)._jloss
        else:
            made._jloss = operator("empty", "t")(args or (0,))._jloss
        return made

    @staticmethod
    def _make_subclass(cls, data, require_grad=False):
        """An instance of a subclass over the same data."""
        if require_grad:
            check_differentiable(data)
        made = object.__new__(cls)
        made._jloss = data.detach().requires_grad_(require_grad)._jloss
        return made

    def as_subclass(self, cls):
        """This tensor as an instance of a subclass."""
        made = object.__new__(cls)
        made._jloss = self.alias()._jloss
        return made

    def __getattr__(self, name):
        _bind(type(self), f"'{type(self).__name__}' object", name)
        return getattr(self, name)

    def __dir__(self):
        return sorted({*object.__dir__(self), *call(host.operators, "m")})

    # What it is

    @property
    def shape(self):
        """The sizes of the axes."""
        return Size(self._jloss.shape())

    def size(self, dim=None):
        """The sizes of the axes, or that of one."""
        return Size(self._jloss.shape()) if dim is None else _along(self._jloss.shape(), dim)

    def stride(self, dim=None):
        """The distances of neighbours along the axes, in elements, or that along one."""
        return tuple(self._jloss.stride()) if dim is None else _along(self._jloss.stride(), dim)

    @property
    def dtype(self):
        """The element type."""
        return by_code[self._jloss.dtype()]

    @property
    def device(self):
        """Where the data are."""
        return _dtypes.meta if self._jloss.isMeta() else _dtypes.cpu

    @property
    def layout(self):
        """How the elements lie in memory."""
        return _dtypes.strided

    is_cuda = is_sparse = is_quantized = is_mps = is_mkldnn = is_nested = is_xpu = False
    names = property(lambda self: (None,) * self._jloss.dim(), doc="The axes have no names.")

    @property
    def is_meta(self):
        """Whether it is a shape without elements."""
        return self._jloss.isMeta()

    @property
    def ndim(self):
        """How many axes there are."""
        return self._jloss.dim()

    def dim(self):
        """How many axes there are."""
        return self._jloss.dim()

    ndimension = dim

    def numel(self):
        """How many elements there are."""
        return self._jloss.numel()

    nelement = numel

    def storage_offset(self):
        """Where the first element is in the memory that it may share, in elements."""
        return self._jloss.storageOffset()

    def data_ptr(self):
        """A number for where the first element is: for comparison alone, as it is no address."""
        return self._jloss.place()

    def untyped_storage(self):
        """The memory that it may share, to compare it with others'."""
        return _Storage(self)

    def element_size(self):
        """How many bytes an element has."""
        return self._jloss.itemsize()

    itemsize = property(element_size)

    @property
    def nbytes(self):
        """How many bytes the elements have."""
        return self._jloss.numel() * self._jloss.itemsize()

    def is_floating_point(self):
        """Whether the elements are floating point numbers."""
        return self.dtype.is_floating_point

    def is_complex(self):
        """Whether the elements are complex numbers."""
        return self.dtype.is_complex

    def is_signed(self):
        """Whether the elements may be negative."""
        return self.dtype.is_signed

    def is_contiguous(self, memory_format=_dtypes.contiguous_format):
        """Whether the elements lie in row order, or in another, without gaps."""
        if memory_format is _dtypes.contiguous_format:
            return self._jloss.isContiguous()
        return self.contiguous(memory_format=memory_format).stride() == self.stride()

    def get_device(self):
        """-1, the CPU."""
        return -1

    @property
    def T(self):
        """With the axes reversed."""
        return self.permute(tuple(range(self.ndim - 1, -1, -1)))

    @property
    def mT(self):
        """With the last two axes exchanged."""
        return self.transpose(-2, -1)

    H = property(lambda self: self.adjoint(), doc="Conjugate and transposed.")
    mH = property(lambda self: self.adjoint(), doc="Conjugate, with the last two axes exchanged.")
    real = property(lambda self: operator("real", "t")(self), doc="The real parts.")
    imag = property(lambda self: operator("imag", "t")(self), doc="The imaginary parts.")

    # Gradients

    @property
    def requires_grad(self):
        """Whether operations on it are recorded for backward."""
        return self._jloss.requiresGrad()

    @requires_grad.setter
    def requires_grad(self, value):
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if value:
            check_differentiable(self, "only")
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad=True):
        """Has operations on it recorded from now on, or no more."""
        if not isinstance(requires_grad, bool):
            kind = type(requires_grad).__name__
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {kind}")
        call(self._jloss.requireGrad, requires_grad)
        return self

    @property
    def is_leaf(self):
        """Whether it comes from no recorded operation."""
        return self._jloss.isLeaf()

    @property
    def grad_fn(self):
        """The operation that it comes from, None for a leaf."""
        return _node(self._jloss.node())

    @property
    def output_nr(self):
        """Which result of that operation it is."""
        return self._jloss.outputNumber()

    @property
    def grad(self):
        """The gradient that backward() left, or None."""
        handle = self._jloss.grad()
        return None if handle is None else wrap_tensor(handle)

    @grad.setter
    def grad(self, value):
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
        call(self._jloss.setGrad, None if value is None else value._jloss)

    @grad.deleter
    def grad(self):
        call(self._jloss.setGrad, None)

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Adds the gradient of this tensor to `grad` of the leaves that it was computed from."""
        if gradient is None and not inputs:
            retain = create_graph if retain_graph is None else retain_graph
            call(_backward, (self._jloss,), (), bool(retain), bool(create_graph), ())
        else:
            from torch.autograd import backward

            backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    @property
    def data(self):
        """The same data, apart from the graph."""
        return self.detach()

    @data.setter
    def data(self, value):
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if value.is_meta != self.is_meta:
            raise RuntimeError(
                "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor "
                "type."
            )
        if self.requires_grad and not (value.is_floating_point() or value.is_complex()):
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        if value.shape == self.shape and value.dtype is self.dtype and not self.is_meta:
            call(self._jloss.setData, value._jloss)
        else:
            self._jloss = value.detach().requires_grad_(self.requires_grad)._jloss

    @property
    def _version(self):
        return self._jloss.version()

    def register_hook(self, hook):
        """Calls a function with the gradient whenever it is computed; what it gives replaces it."""
        from ._hooks import register

        return register(self, hook, False)

    def register_post_accumulate_grad_hook(self, hook):
        """Calls a function with this leaf whenever its grad has got a gradient."""
        from ._hooks import register

        return register(self, hook, True)

    def retain_grad(self):
        """Has backward() leave the gradient in `grad` though this is no leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        call(autograd.retainGrad, self._jloss)

    @property
    def retains_grad(self):
        """Whether backward() leaves the gradient in `grad` though this is no leaf."""
        return self._jloss.retainsGrad()

    # Elements

    def item(self):
        """The one element as a Python number."""
        # What Java has no number for.
        if self._jloss.numel() == 1 and (self.is_complex() or self.dtype is _dtypes.uint64):
            return self.reshape(()).tolist()
        return call(self._jloss.item)

    def tolist(self):
        """The elements as nested lists of Python numbers."""
        if self.is_complex():
            pairs = operator("view_as_real", "t")(self.detach().resolve_conj())
            return _complex(_data.to_list(pairs), self.dim())
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

    def _number(self):
        if self._jloss.numel() != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __int__(self):
        return int(self._number())

    def __float__(self):
        return float(self._number())

    def __complex__(self):
        return complex(self._number())

    def __index__(self):
        value = self.item() if self._jloss.numel() == 1 else 0.0
        if isinstance(value, (float, complex)):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(value)

    def __round__(self, digits=0):
        return self.round(decimals=digits)

    def __getitem__(self, index):
        return wrap_tensor(call(self._jloss.getItem, _index(index)))

    def __setitem__(self, index, value):
        call(self._jloss.setItem, _index(index), value)

    def __repr__(self, *, tensor_contents=None):
        from ._format import text

        return text(self)

    def __format__(self, spec):
        if self._jloss.dim() == 0 and not self.is_meta and type(self) is Tensor:
            return format(self.item(), spec)
        return object.__format__(self, spec)

    def __copy__(self):
        return self.detach().requires_grad_(self.requires_grad)

    def __deepcopy__(self, memo):
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment.  If you were attempting to deepcopy a module, this may be because of a "
                "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
            )
        copy = self.detach().clone()
        if self.requires_grad:
            copy.requires_grad_()
        memo[id(self)] = copy
        return copy

    def __reduce__(self):
        return _data.restore, (self.dtype._name, tuple(self.shape), self.tobytes(), self.requires_grad)

    # What the schemas do not say

    def alias(self):
        """A view of the whole."""
        return _call("alias", (self,))

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

    def short(self):
        """As int16."""
        return self.to(_dtypes.int16)

    def char(self):
        """As int8."""
        return self.to(_dtypes.int8)

    def byte(self):
        """As uint8."""
        return self.to(_dtypes.uint8)

    def bool(self):
        """As bool."""
        return self.to(_dtypes.bool)

    def cfloat(self):
        """As complex64."""
        return self.to(_dtypes.complex64)

    def cdouble(self):
        """As complex128."""
        return self.to(_dtypes.complex128)

    def type(self, dtype=None, non_blocking=False):
        """The legacy name of the dtype, or this tensor with another."""
        if dtype is None:
            return "torch." + _LEGACY[self.dtype] + "Tensor"
        if isinstance(dtype, str):
            dtype = legacy_dtype(dtype)
        return self.to(getattr(dtype, "dtype", dtype) if not isinstance(dtype, _dtypes.dtype) else dtype)

    def cpu(self, memory_format=None):
        """This tensor: there is no other device."""
        return self

    def cuda(self, device=None, non_blocking=False, memory_format=None):
        """Refused: there is only the CPU."""
        _dtypes.device("cuda")._jloss

    def type_as(self, other):
        """With the dtype of another tensor."""
        return self.to(other.dtype)

    def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
        """A tensor of data, with this one's dtype."""
        return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new(self, *args):
        """A tensor of this dtype: of data, or empty with these sizes."""
        if len(args) == 1 and not isinstance(args[0], int):
            return tensor(args[0], dtype=self.dtype)
        return self.new_empty(args or (0,))

    def numpy(self, *, force=False):
        """As an array of numpy's, where the script has that."""
        try:
            import numpy
        except ModuleNotFoundError:
            message = "NumPy does not load in the JVM: use tolist(), tobytes() or buffer()"
            raise ModuleNotFoundError(message, name="numpy") from None

        return numpy.asarray(self.detach() if force else self)

    def split(self, split_size, dim=0):
        """In parts of so many, or of these, along an axis."""
        name = "split" if isinstance(split_size, (int, Tensor)) else "split_with_sizes"
        return operator(name, "m")(self, split_size, dim)

    def norm(self, p="fro", dim=None, keepdim=False, dtype=None):
        """See torch.norm."""
        from torch.functional import norm

        return norm(self, p, dim, keepdim, dtype=dtype)

    def unique(self, sorted=True, return_inverse=False, return_counts=False, dim=None):
        """See torch.unique."""
        from torch.functional import unique

        return unique(self, sorted, return_inverse, return_counts, dim)

    def unique_consecutive(self, return_inverse=False, return_counts=False, dim=None):
        """See torch.unique_consecutive."""
        from torch.functional import unique_consecutive

        return unique_consecutive(self, return_inverse, return_counts, dim)

    def stft(self, *args, **kwargs):
        """See torch.stft."""
        from torch.functional import stft

        return stft(self, *args, **kwargs)

    def nonzero(self, *, as_tuple=False):
        """The indices of elements that are not zero."""
        found = _call("nonzero", (self,))
        return found.unbind(1) if as_tuple else found

    def is_shared(self):
        """False: memory is this process's own."""
        return False

    def share_memory_(self):
        """This tensor: there is no other process."""
        return self

    def is_pinned(self, device=None):
        """False: pinned memory is for copies to accelerators."""
        return False

    def pin_memory(self, device=None):
        """Refused: pinned memory is for copies to accelerators."""
        raise RuntimeError("pin_memory: expected an accelerator to pin memory for, got none: jloss runs on the CPU")

    def apply_(self, function):
        """Applies a Python function to each element, in place."""
        values = tensor([function(e) for e in self.flatten().tolist()], dtype=self.dtype)
        return self.copy_(values.reshape(self.shape))

    # Operators

    def __pos__(self):
        return self


class _Storage:
    def __init__(self, tensor):
        self._tensor = tensor

    def data_ptr(self):
        """A number for where it begins: for comparison alone, as it is no address."""
        tensor = self._tensor
        return tensor.data_ptr() - tensor.storage_offset() * tensor.element_size()


class Node:
    """An operation of the graph that backward() goes through; a class for each kind."""

    def name(self):
        """The operation's name."""
        return str(self._jloss.name())

    @property
    def next_functions(self):
        """The operations that its gradients go to, None where nobody wants one; with an input's number."""
        found = list(call(self._jloss.next))
        return tuple((_node(node), number) for node, number in zip(found[::2], found[1::2]))

    def register_hook(self, hook):
        """Calls a function with the gradients that it computed and those that it got; may replace the first."""
        from ._hooks import register_node

        return register_node(self, hook, False)

    def register_prehook(self, hook):
        """Calls a function with the gradients that it is to get; what it gives replaces them."""
        from ._hooks import register_node

        return register_node(self, hook, True)

    def _sequence_nr(self):
        return self._jloss.number()

    def __eq__(self, other):
        return isinstance(other, Node) and self._jloss.same(other._jloss)

    def __hash__(self):
        return self._jloss.hash()

    def __repr__(self):
        return f"<{type(self).__name__} object at 0x{hash(self) & 0xFFFFFFFFFFFF:012x}>"


class AccumulateGrad(Node):
    """What adds to the grad of a leaf."""

    @property
    def variable(self):
        """The leaf."""
        return wrap_tensor(self._jloss.leaf())


_nodes = {"torch::autograd::AccumulateGrad": AccumulateGrad}


def _node(handle):
    """Java's node as Python has it."""
    if handle is None:
        return None
    name = str(handle.name())
    cls = _nodes.get(name)
    if cls is None:
        cls = _nodes[name] = type(name, (Node,), {"__module__": "builtins"})
    made = _new(cls)
    made._jloss = handle
    return made


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

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __radd__(self, other):
        return Size(tuple(other) + tuple(self))

    def __mul__(self, count):
        return Size(tuple.__mul__(self, count))

    def __reduce__(self):
        return Size, (tuple(self),)


_LEGACY = {
    _dtypes.float32: "Float",
    _dtypes.float64: "Double",
    _dtypes.float16: "Half",
    _dtypes.bfloat16: "BFloat16",
    _dtypes.int64: "Long",
    _dtypes.int32: "Int",
    _dtypes.int16: "Short",
    _dtypes.int8: "Char",
    _dtypes.uint8: "Byte",
    _dtypes.bool: "Bool",
    _dtypes.complex64: "ComplexFloat",
    _dtypes.complex128: "ComplexDouble",
    _dtypes.complex32: "ComplexHalf",
    _dtypes.uint16: "UInt16",
    _dtypes.uint32: "UInt32",
    _dtypes.uint64: "UInt64",
}


def legacy_dtype(name):
    """The dtype of a name such as torch.FloatTensor."""
    for dtype, word in _LEGACY.items():
        if name == f"torch.{word}Tensor":
            return dtype
    raise ValueError(f"invalid type: '{name}'")


def check_differentiable(tensor, only="Only"):
    """Raises where the elements are no numbers that have gradients."""
    if not (tensor.is_floating_point() or tensor.is_complex()):
        raise RuntimeError(f"{only} Tensors of floating point and complex dtype can require gradients")


def _complex(pairs, depth):
    return [_complex(part, depth - 1) for part in pairs] if depth else complex(*pairs)


def _along(values, dim):
    count = len(values)
    dim = dim.__index__()
    if not -count <= dim < count:
        least, most = (-count, count - 1) if count else (-1, 0)
        raise IndexError(f"Dimension out of range (expected to be in range of [{least}, {most}], but got {dim})")
    return values[dim + count if dim < 0 else dim]


def _dunder(method, name, place="m", swapped=False, in_place=False, unary=False):
    java = None

    def forward(self, other=None):
        nonlocal java
        if isinstance(other, Tensor):
            other = other._jloss
        elif not unary and not isinstance(other, _NUMBERS):
            return NotImplemented
        if java is None:
            found = call(host.operator, place, name)
            java = found.call1 if unary else found.call2
        try:
            if unary:
                handle = java(self._jloss)
            elif swapped:
                handle = java(other, self._jloss)
            else:
                handle = java(self._jloss, other)
        except BaseException as error:
            raise translated(error) from None
        if in_place:
            return self
        made = _new(Tensor)
        made._jloss = handle
        return made

    forward.__name__ = forward.__qualname__ = f"__{method}__"
    setattr(Tensor, f"__{method}__", forward)


for _method, _name in {"neg": "neg", "abs": "abs", "invert": "bitwise_not"}.items():
    _dunder(_method, _name, unary=True)
for _method, _name in {
    "add": "add",
    "sub": "sub",
    "mul": "mul",
    "truediv": "div",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}.items():
    _dunder(_method, _name)
    _dunder("i" + _method, _name + "_", in_place=True)
for _method in ("eq", "ne", "lt", "le", "gt", "ge"):
    _dunder(_method, _method)
for _method, _name in {"radd": "add", "rmul": "mul", "rand": "bitwise_and", "ror": "bitwise_or", "rxor": "bitwise_xor"}.items():
    _dunder(_method, _name)
_dunder("rsub", "rsub", place="t")
for _method, _name in {
    "rpow": "pow",
    "rmod": "remainder",
    "rfloordiv": "floor_divide",
    "rlshift": "bitwise_left_shift",
    "rrshift": "bitwise_right_shift",
}.items():
    _dunder(_method, _name, place="t", swapped=True)


def _matmul(self, other):
    return operator("matmul", "m")(self, other) if isinstance(other, Tensor) else NotImplemented


def _rtruediv(self, other):
    return self.reciprocal() * other if isinstance(other, _NUMBERS) else NotImplemented


Tensor.__matmul__, Tensor.__rtruediv__ = _matmul, _rtruediv


def _index(index):
    """An index as Java takes it: a tuple, with "..." for Ellipsis and tensors for lists."""
    if not isinstance(index, tuple):
        if isinstance(index, (int, slice)):
            return (index,)
        index = (index,)
    return tuple(
        "..." if i is Ellipsis else _list_index(i) if isinstance(i, (list, range)) else i for i in index
    )


def _list_index(index):
    if len(index) == 0:
        return tensor([], dtype=_dtypes.int64)
    return tensor(index)


autograd = host.autograd()
_backward = autograd.backward


class _Mode:
    """A mode in a with statement, or of a function as a decorator."""

    _mode = False

    def __new__(cls, function=None):
        made = object.__new__(cls)
        return made if function is None else made(function)

    def __enter__(self):
        self._was = call(host.setGradEnabled, self._mode)

    def __exit__(self, *exception):
        call(host.setGradEnabled, self._was)

    def _again(self):
        return type(self)()

    def __call__(self, function):
        import functools

        @functools.wraps(function)
        def run(*args, **kwargs):
            with self._again():
                return function(*args, **kwargs)

        return run


class no_grad(_Mode):
    """No gradients are recorded within."""


class enable_grad(_Mode):
    """Gradients are recorded within."""

    _mode = True


class inference_mode(_Mode):
    """No gradients are recorded within; mode=False has them recorded."""

    def __new__(cls, mode=True):
        if not isinstance(mode, bool):
            return cls()(mode)
        made = object.__new__(cls)
        made._mode = not mode
        return made

    def _again(self):
        return inference_mode(not self._mode)


class set_grad_enabled(_Mode):
    """Turns the recording of gradients on or off, at once, in a with statement or as a decorator."""

    def __new__(cls, mode):
        made = object.__new__(cls)
        made._mode = bool(mode)
        made._was = call(host.setGradEnabled, made._mode)
        return made

    def __enter__(self):
        call(host.setGradEnabled, self._mode)

    def _again(self):
        return set_grad_enabled(self._mode)

    def __call__(self, function):
        call(host.setGradEnabled, self._was)
        return _Mode.__call__(self, function)


def is_grad_enabled():
    """Whether gradients are recorded."""
    return call(host.isGradEnabled)


def manual_seed(seed):
    """Seeds the random numbers: the same as in PyTorch on the CPU."""
    call(host.manualSeed, as_seed(seed))


def as_seed(seed):
    """A seed as Java's long has it."""
    seed = int(seed)
    if not -(2**63) <= seed < 2**64:
        raise RuntimeError("Overflow when unpacking long")
    return seed - 2**64 if seed >= 2**63 else seed


def get_default_dtype():
    """The dtype of Python's floats and of constructors that are given none."""
    return _dtypes.default


def set_default_dtype(dtype):
    """Sets the dtype of Python's floats and of constructors that are given none."""
    dtype = as_dtype(dtype)
    if not dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    call(host.setDefaultDtype, dtype._code)
    _dtypes.default = dtype
