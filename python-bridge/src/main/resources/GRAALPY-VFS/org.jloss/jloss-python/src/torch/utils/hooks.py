"""Handles of hooks, and the hooks around a module's backward pass."""

import itertools

_ids = itertools.count()


class RemovableHandle:
    """Takes a hook away again, by remove() or at the end of a with statement."""

    def __init__(self, hooks):
        self._hooks = hooks
        self.id = next(_ids)

    def remove(self):
        """Takes the hook away."""
        self._hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()
