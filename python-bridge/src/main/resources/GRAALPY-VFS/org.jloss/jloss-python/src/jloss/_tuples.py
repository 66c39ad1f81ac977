"""Named tuples, in a module of their own: collections takes long to import."""

import collections

Triplets = collections.namedtuple("Triplets", "anchor positive negative")
Triplets.__doc__ = "Positions in a batch, one vector each."
Pairs = collections.namedtuple("Pairs", "anchor1 positive anchor2 negative")
Pairs.__doc__ = "Positions in a batch: (anchor1, positive) are alike, (anchor2, negative) are not."

_gradients = {}


def gradients(names):
    """The type of a loss's gradients by the names of its tensors."""
    found = _gradients.get(names)
    if found is None:
        found = _gradients[names] = collections.namedtuple("Gradients", names)
        found.__reduce__ = lambda self: (_restored, (names, tuple(self)))
    return found


def _restored(names, values):
    return gradients(names)(*values)
