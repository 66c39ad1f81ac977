"""Every loss as a function: tensors first, parameters as keywords.

    jloss.functional.focal_loss(logits, target, gamma=2.0)
"""

from ._losses import function as _function, ids as _ids


def __getattr__(name):
    found = None if name.startswith("_") else _function(name)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name, _ids(), 1)
        hint = f". Did you mean: '{near[0]}'?" if near else ""
        raise AttributeError(f"module 'jloss.functional' has no attribute '{name}'{hint}")
    globals()[name] = found
    return found


def __dir__():
    return sorted(_ids())
