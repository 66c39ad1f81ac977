"""Nothing is compiled: what scripts and libraries mark for TorchScript runs as the Python it is."""


def is_scripting():
    """False."""
    return False


def is_tracing():
    """False."""
    return False


def script(obj=None, *args, **kwargs):
    """The function or module itself."""
    return obj if obj is not None else script


def ignore(drop=False, **kwargs):
    """A decorator that changes nothing."""
    return drop if callable(drop) else lambda function: function


def annotate(the_type, the_value):
    """The value itself."""
    return the_value


unused = export = script_method = script_if_tracing = interface = script
Final = __import__("typing").Final


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(f"torch.jit.{name} is not supported: nothing is compiled here", name=name)
