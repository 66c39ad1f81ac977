from array import array
from collections.abc import Sequence
from typing import Any

from ._dtypes import dtype as dtype_
from ._tensor import Tensor

def tensor(
    data: float | Tensor | Sequence[Any] | bytes | bytearray | array[Any] | memoryview,
    dtype: dtype_ | type | None = None,
    requires_grad: bool = False,
    device: str | None = None,
) -> Tensor: ...
