"""Set by many scripts; changes nothing on the CPU."""

enabled = False
benchmark = False
deterministic = False
allow_tf32 = False


def is_available():
    """False."""
    return False


def version():
    """None."""
    return None
