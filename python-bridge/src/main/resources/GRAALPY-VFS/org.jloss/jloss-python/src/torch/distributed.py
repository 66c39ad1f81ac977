"""There is one process: what scripts ask before they use more."""


def is_available():
    """False."""
    return False


def is_initialized():
    """False."""
    return False


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"torch.distributed.{name} is not supported: jloss runs in one process", name=name)
