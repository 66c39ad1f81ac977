"""The classes of operators' results that have names, such as torch.return_types.max."""

from jloss._records import record
from jloss._tensor import missing as _missing, operator as _operator


def __getattr__(name):
    if not name.startswith("_"):
        function = _operator(name)
        for count in (2, 3, 4) if function else ():
            fields = function._jloss_operator.fields(count)
            if fields is not None:
                return record(name, tuple(fields))
    raise _missing("module 'torch.return_types'", name, tuple)
