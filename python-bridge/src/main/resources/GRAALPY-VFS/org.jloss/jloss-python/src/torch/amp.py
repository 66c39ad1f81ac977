"""Mixed precision: everything is computed in the dtype that it has, as with enabled=False."""

import contextlib
import functools
import warnings


class autocast(contextlib.ContextDecorator):
    """Changes nothing; says so once where it was asked to."""

    def __init__(self, device_type="cpu", dtype=None, enabled=True, cache_enabled=None):
        if enabled and device_type == "cpu":
            _tell()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return False


def is_autocast_enabled(device_type="cpu"):
    """False."""
    return False


@functools.lru_cache(maxsize=None)
def _tell():
    warnings.warn("autocast is not supported: everything is computed in the dtype that it has", stacklevel=3)


class GradScaler:
    """Scales by 1: there is no device whose gradients would need more."""

    def __init__(self, device="cuda", *args, **kwargs):
        pass

    def scale(self, outputs):
        """The loss itself."""
        return outputs

    def unscale_(self, optimizer):
        """Nothing."""

    def step(self, optimizer, *args, **kwargs):
        """The optimiser's step."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale=None):
        """Nothing."""

    def get_scale(self):
        """1."""
        return 1.0

    def is_enabled(self):
        """False."""
        return False

    def state_dict(self):
        """Empty."""
        return {}

    def load_state_dict(self, state_dict):
        """Nothing."""
