from collections.abc import Callable, Sequence
from typing import Any, overload

from ._systems import Loss, Miner
from ._tensor import Tensor

# A function of tensors, or an object with a method forward.
_Gradients = Tensor | Sequence[Tensor | None] | None

@overload
def loss(
    function: Any, name: str | None = None, backward: Callable[..., _Gradients] | None = None
) -> Loss: ...
@overload
def loss(
    function: None = None, name: str | None = None, backward: Callable[..., _Gradients] | None = None
) -> Callable[[Callable[..., Tensor]], Loss]: ...
@overload
def miner(function: Any, name: str | None = None) -> Miner: ...
@overload
def miner(
    function: None = None, name: str | None = None
) -> Callable[[Callable[..., Sequence[Tensor]]], Miner]: ...
