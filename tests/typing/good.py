"""What the type stubs accept. Never run: tests/typing/check.py has mypy read it."""

import array

import jloss
from jloss import Loss, Tensor, functional

logits: Tensor = jloss.tensor([[2.0, -1.0, 0.5], [0.0, 1.0, 3.0]], requires_grad=True)
target = jloss.tensor([0, 2], dtype=jloss.int64)
more = [jloss.tensor(data) for data in (b"ab", array.array("f", [1.0]), memoryview(b"ab"))]

version: str = jloss.__version__
focal = jloss.FocalLoss(gamma=1.5, reduction="sum")
value: Tensor = focal(logits, target)
value.backward()
gamma: float = focal.gamma
total, gradients = jloss.CrossEntropyLoss(label_smoothing=0.1).value_and_grad(logits, target)
slope: Tensor | None = gradients.input
number: Tensor = functional.focal_loss(logits, target, gamma=2.0, alpha=[0.2, 0.3, 0.5])

both = 0.5 * focal + jloss.CrossEntropyLoss(weight=jloss.ones(3)) / 2 - jloss.FocalLoss()
summed = sum([focal, focal])
losses: list[Loss] = [focal, both, both.renamed(target="label")]
result: Tensor = both(logits, target)


@jloss.loss
def own(input: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    terms = (input - target) ** 2
    mean: Tensor = (terms if weight is None else terms * weight).mean()
    return mean


class Scaled(jloss.MseLoss):
    def __init__(self, factor: float) -> None:
        super().__init__(reduction="sum")
        self.factor = factor

    def forward(self, input: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        return self.factor * super().forward(input, target, weight)


losses += [own, Scaled(2.0)]
picked = jloss.BatchHardMiner()(logits, target)
if isinstance(picked, jloss.Triplets):
    positives: Tensor = picked.positive
with jloss.NegativeQueue() as queue, jloss.no_grad():
    queue.enqueue(logits)
rows: memoryview = logits.detach().buffer()
