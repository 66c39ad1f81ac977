"""The element types of tensors, and their devices, layouts and memory formats."""

from _jloss_host import host

# The package whose name they print with.
prefix = "jloss"

_builtin_float, _builtin_int, _builtin_bool = float, int, bool


class dtype:
    """An element type of tensors, such as jloss.float32."""

    def __init__(self, name, code, itemsize, typecode):
        self._name = name
        self._code = code
        self._typecode = typecode
        self._jloss = host.code(0, code)
        self.itemsize = itemsize
        self.is_floating_point = name.startswith(("float", "bfloat"))
        self.is_complex = name.startswith("complex")
        self.is_signed = not name.startswith(("uint", "bool"))

    def __repr__(self):
        return f"{prefix}.{self._name}"

    def __reduce__(self):
        return self._name


# The codes are libtorch's; the typecodes those of array and memoryview, where they have one.
float32 = float = dtype("float32", 6, 4, "f")
float64 = double = dtype("float64", 7, 8, "d")
float16 = half = dtype("float16", 5, 2, "e")
bfloat16 = dtype("bfloat16", 15, 2, None)
int64 = long = dtype("int64", 4, 8, "q")
int32 = int = dtype("int32", 3, 4, "i")
int16 = short = dtype("int16", 2, 2, "h")
int8 = dtype("int8", 1, 1, "b")
uint8 = dtype("uint8", 0, 1, "B")
bool = dtype("bool", 11, 1, "?")
complex64 = cfloat = dtype("complex64", 9, 8, None)
complex128 = cdouble = dtype("complex128", 10, 16, None)

# libtorch has few operators for these.
uint16 = dtype("uint16", 27, 2, "H")
uint32 = dtype("uint32", 28, 4, "I")
uint64 = dtype("uint64", 29, 8, "Q")
complex32 = chalf = dtype("complex32", 8, 4, None)

all_dtypes = (
    float32, float64, float16, bfloat16, int64, int32, int16, int8, uint8, bool, complex64, complex128,
    uint16, uint32, uint64, complex32,
)
by_code = {d._code: d for d in all_dtypes}
# Of Python's floats and of constructors that are given none.
default = float32
by_typecode = {d._typecode: d for d in all_dtypes if d._typecode} | {"l": int64}
by_type = {_builtin_float: float64, _builtin_int: int64, _builtin_bool: bool, complex: complex128}


def as_dtype(value):
    """A dtype; Python's own float, int, bool and complex are taken too."""
    if isinstance(value, dtype):
        return value
    found = by_type.get(value)
    if found is None:
        raise TypeError(f"expected a dtype such as {prefix}.float32, got {value!r}")
    return found


class _Code:
    def __init__(self, name, kind, code):
        self._name = name
        self._jloss = host.code(kind, code)

    def __repr__(self):
        return f"{prefix}.{self._name}"

    def __reduce__(self):
        return self._name


class layout(_Code):
    """How a tensor's elements lie in memory: strided is the one there is."""


class memory_format(_Code):
    """In which order the axes lie in memory."""


strided = layout("strided", 1, 0)
contiguous_format = memory_format("contiguous_format", 2, 0)
preserve_format = memory_format("preserve_format", 2, 1)
channels_last = memory_format("channels_last", 2, 2)
channels_last_3d = memory_format("channels_last_3d", 2, 3)


_ACCELERATORS = frozenset(("cuda", "mps", "xpu"))


class device:
    """Where a tensor's elements are: "cpu", or "meta" for a shape without elements."""

    def __init__(self, type, index=None):
        if isinstance(type, device):
            name = str(type)
        elif isinstance(type, str):
            name = type if index is None else f"{type}:{index}"
        else:
            name = f"cuda:{type}"
        self.type, _, number = name.partition(":")
        self.index = _builtin_int(number) if number else None
        if self.type not in _ACCELERATORS:
            self._jloss

    @property
    def _jloss(self):
        # Refused here for devices that are not there: scripts may name them, but not use them.
        from ._errors import call

        return call(host.device, str(self))

    def __eq__(self, other):
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __reduce__(self):
        return device, (str(self),)


cpu, meta = device("cpu"), device("meta")
