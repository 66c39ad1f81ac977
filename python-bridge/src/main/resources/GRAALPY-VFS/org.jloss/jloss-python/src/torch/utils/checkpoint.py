"""Checkpoints of activations."""

import warnings

import torch


def checkpoint(
    function,
    *args,
    use_reentrant=None,
    context_fn=None,
    determinism_check="default",
    debug=False,
    early_stop=True,
    preserve_rng_state=True,
    **kwargs,
):
    """function(*args): its activations are kept, where PyTorch computes them again in backward."""
    _check_reentrant("checkpoint", use_reentrant)
    return function(*args, **kwargs)


def checkpoint_sequential(functions, segments, input, use_reentrant=None, preserve_rng_state=True):
    """All functions one after the other, see checkpoint."""
    _check_reentrant("checkpoint_sequential", use_reentrant)
    for function in functions.children() if isinstance(functions, torch.nn.Sequential) else functions:
        input = function(input)
    return input


def _check_reentrant(name, use_reentrant):
    if use_reentrant is None:
        warnings.warn(
            f"torch.utils.{'checkpoint' if name == 'checkpoint' else 'checkpoint.' + name}: the use_reentrant "
            "parameter should be passed explicitly.",
            stacklevel=3,
        )
