"""There is no such device: what scripts ask before they use it."""


def is_available():
    """False."""
    return False


def device_count():
    """0."""
    return 0


def is_initialized():
    """False."""
    return False


def manual_seed(seed):
    """Nothing: there is no device."""


manual_seed_all = manual_seed


def empty_cache():
    """Nothing: there is no device."""


def synchronize(device=None):
    """Refused in words."""
    raise RuntimeError("there is no device 'cuda': jloss runs on the CPU")


current_device = get_device_name = memory_allocated = max_memory_allocated = synchronize


def __getattr__(name):
    if name == "amp":
        import importlib

        return importlib.import_module("torch.cuda.amp")
    raise AttributeError(f"module 'torch.cuda' has no attribute '{name}': there is no such device", name=name)
