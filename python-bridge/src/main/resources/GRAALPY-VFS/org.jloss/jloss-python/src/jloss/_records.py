"""What operators of several results give: tuples whose elements have names."""

from . import _dtypes

_known = {}


class _Record(tuple):
    __slots__ = ()

    def __repr__(self):
        parts = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self))
        return f"{_dtypes.prefix}.return_types.{type(self).__name__}(\n{parts})"

    def __reduce__(self):
        return _restore, (type(self).__name__, self._fields, tuple(self))


def record(name, fields):
    """The class for an operator's results."""
    made = _known.get((name, fields))
    if made is None:
        members = {field: property(lambda self, i=i: self[i]) for i, field in enumerate(fields)}
        members |= {"__slots__": (), "_fields": fields, "n_fields": len(fields)}
        made = _known[name, fields] = type(name, (_Record,), members)
    return made


def _restore(name, fields, values):
    return record(name, fields)(values)
