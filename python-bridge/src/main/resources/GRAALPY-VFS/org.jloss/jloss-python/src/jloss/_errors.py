"""Java's exceptions as Python's."""

import builtins


def call(function, *arguments):
    """Calls into Java; what it throws arrives as the Python exception of the same meaning."""
    try:
        return function(*arguments)
    except BaseException as error:
        raise translated(error) from None


def translated(error):
    """The Python exception that an exception of Java's stands for; any other one itself."""
    if isinstance(error, Exception):
        return error
    kind = getattr(error, "kind", None)
    if kind is None:
        return error
    return getattr(builtins, str(kind()), RuntimeError)(str(error.text()))
