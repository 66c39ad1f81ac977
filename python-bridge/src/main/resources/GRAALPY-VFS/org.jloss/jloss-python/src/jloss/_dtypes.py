"""The element types of tensors."""

from _jloss_host import host

# The package whose name the dtypes print with.
prefix = "jloss"

_builtin_float, _builtin_int, _builtin_bool = float, int, bool


class dtype:
    """An element type of tensors, such as jloss.float32."""

    def __init__(self, name, code, itemsize, typecode):
        self._name = name
        self._code = code
        self._typecode = typecode
        self._jloss = host.code(code)
        self.itemsize = itemsize
        self.is_floating_point = name.startswith(("float", "bfloat"))

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
int16 = dtype("int16", 2, 2, "h")
int8 = dtype("int8", 1, 1, "b")
uint8 = dtype("uint8", 0, 1, "B")
bool = dtype("bool", 11, 1, "?")

all_dtypes = (float32, float64, float16, bfloat16, int64, int32, int16, int8, uint8, bool)
by_code = {d._code: d for d in all_dtypes}
by_typecode = {d._typecode: d for d in all_dtypes if d._typecode} | {"l": int64}
by_type = {_builtin_float: float32, _builtin_int: int64, _builtin_bool: bool}


def as_dtype(value):
    """A dtype; Python's own float, int and bool are taken too."""
    if isinstance(value, dtype):
        return value
    found = by_type.get(value)
    if found is None:
        raise TypeError(f"expected a dtype such as jloss.float32, got {value!r}")
    return found
