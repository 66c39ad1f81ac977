import builtins

prefix: str

class dtype:
    itemsize: builtins.int
    is_floating_point: builtins.bool

float16: dtype
float32: dtype
float64: dtype
bfloat16: dtype
int8: dtype
int16: dtype
int32: dtype
int64: dtype
uint8: dtype
bool: dtype
float: dtype
double: dtype
half: dtype
int: dtype
long: dtype
all_dtypes: tuple[dtype, ...]

def as_dtype(value: dtype | type) -> dtype: ...
