"""Nested lists, tuples and dicts, and what is at their ends."""


def tree_flatten(tree):
    """The leaves in order, and what tree_unflatten puts them together by."""
    leaves = []
    return leaves, _spec(tree, leaves)


def _spec(tree, leaves):
    kind = type(tree)
    if isinstance(tree, dict):
        return kind, list(tree), [_spec(part, leaves) for part in tree.values()]
    if kind in (list, tuple) or isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return kind, None, [_spec(part, leaves) for part in tree]
    leaves.append(tree)
    return None


def tree_unflatten(leaves, treespec):
    """The tree with other leaves."""
    return _join(iter(leaves), treespec)


def _join(leaves, spec):
    if spec is None:
        return next(leaves)
    kind, keys, parts = spec
    parts = [_join(leaves, part) for part in parts]
    if keys is not None:
        return kind(zip(keys, parts))
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def tree_leaves(tree):
    """The leaves in order."""
    return tree_flatten(tree)[0]


def tree_map(func, tree, *rests):
    """The tree with a function's results for leaves; further trees give it further arguments."""
    leaves, spec = tree_flatten(tree)
    return tree_unflatten([func(*each) for each in zip(leaves, *map(tree_leaves, rests), strict=True)], spec)
