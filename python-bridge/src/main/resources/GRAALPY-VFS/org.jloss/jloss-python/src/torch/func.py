"""Not there: transforms of functions need a dispatcher mode that jloss does not offer."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotImplementedError(
        f"torch.func.{name} is not supported; torch.autograd.grad and torch.autograd.functional are"
    )


def vmap(*args, **kwargs):
    """Refused in words."""
    raise NotImplementedError("torch.vmap is not supported; write the batch axis out, or loop")
