"""The softmax over many classes, of which few are frequent."""

from collections import namedtuple

import torch

from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """log softmax in two steps: over the frequent classes and the groups of others, then in a group.

    cutoffs: the first class of each group but the frequent ones; classes go by frequency, the most
    frequent first. A group has div_value times fewer features than the one before.
    """

    def __init__(self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                "value is between 1 and n_classes-1"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = cutoffs[0]
        self.n_clusters = len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        options = dict(device=device, dtype=dtype)
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:]), 1):
            width = int(in_features // div_value**i)
            self.tail.append(
                Sequential(
                    Linear(in_features, width, bias=False, **options),
                    Linear(width, high - low, bias=False, **options),
                )
            )

    def reset_parameters(self):
        """Draws new parameters."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input, target):
        """The logarithm of each target's probability, and the negative of their mean."""
        batched = target.dim() > 0
        if target.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if batched and input.shape[0] != target.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input.dim() != target.dim() + 1:
            what = (
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found inputs with size"
            )
            raise RuntimeError(what, input.size())
        if not batched:
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        if target.numel() and (target.min() < 0 or target.max() >= self.n_classes):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        # Of each target the column of the head: its own, or that of its group.
        column = target.clone()
        within = input.new_zeros(target.shape[0])
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel():
                column[rows] = self.shortlist_size + i
                scores = torch.log_softmax(self.tail[i](input[rows]), 1)
                found = scores.gather(1, (target[rows] - low).unsqueeze(1))
                within = within.index_copy(0, rows, found.squeeze(1))
        head = torch.log_softmax(self.head(input), 1)
        output = within + head.gather(1, column.unsqueeze(1)).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _all(self, input, head):
        head = torch.log_softmax(head, 1)
        parts = [head[:, : self.shortlist_size]]
        for i, group in enumerate(self.tail):
            parts.append(torch.log_softmax(group(input), 1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return torch.cat(parts, 1)

    def log_prob(self, input):
        """The logarithms of all classes' probabilities."""
        return self._all(input, self.head(input))

    def predict(self, input):
        """The most probable class of each row."""
        head = self.head(input)
        best = head.argmax(dim=1)
        rest = best >= self.shortlist_size
        return torch.where(rest, self._all(input, head).argmax(dim=1), best) if rest.any() else best
