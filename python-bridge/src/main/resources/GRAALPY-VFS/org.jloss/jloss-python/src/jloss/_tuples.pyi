from typing import NamedTuple

from ._tensor import Tensor

class Triplets(NamedTuple):
    anchor: Tensor
    positive: Tensor
    negative: Tensor

class Pairs(NamedTuple):
    anchor1: Tensor
    positive: Tensor
    anchor2: Tensor
    negative: Tensor
