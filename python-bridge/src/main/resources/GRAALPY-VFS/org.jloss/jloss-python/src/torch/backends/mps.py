"""There is no such device."""


def is_available():
    """False."""
    return False


is_built = is_available
