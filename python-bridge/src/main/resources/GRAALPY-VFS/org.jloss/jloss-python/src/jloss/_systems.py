"""What losses, miners and memories are to a script; their classes are subclasses of these."""

import copyreg
import os

from _jloss_host import host

from ._errors import call, translated
from ._tensor import Tensor, _wrap, wrap_tensor

# What objects keep beside a script's own attributes.
_INTERNAL = ("_parameters", "_held", "_handle", "_jloss", "_made", "_call", "_both", "_slopes")


class _System:
    """What losses, miners and memories have in common."""

    # Of a class that a script wrote: its own forward is what counts, not Java's.
    _own = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        members = cls.__dict__
        if "forward" in members and "__call__" not in members:
            cls._own = True
            for base in (Loss, Miner):
                if issubclass(cls, base):
                    cls.__call__ = base.__call__
            if issubclass(cls, Loss) and "value_and_grad" not in members:
                cls.value_and_grad = Loss.value_and_grad

    def __setattr__(self, name, value):
        # A subclass of the script's own may keep what it likes.
        if "_spec" in type(self).__dict__:
            kind = type(self).__name__
            raise AttributeError(f"{kind} is immutable; make a new one: {kind}({name}={value!r})")
        object.__setattr__(self, name, value)

    def _set(self, parameters, held=None):
        handle = call(host.make, self._spec["id"], tuple(parameters), tuple(parameters.values()))
        # As the record in Java has them: 1 for a float is 1.0.
        for parameter in self._spec["parameters"]:
            name = parameter["name"]
            if parameter["type"].startswith("float") and isinstance(parameters.get(name), int):
                parameters = {**parameters, name: float(parameters[name])}
        if held:
            held = {n: t if isinstance(t, Tensor) else _tensor_of(t) for n, t in held.items()}
            handle = call(handle.bind, *_handles(held.get(i["name"]) for i in self._spec["inputs"]))
        self._hold(handle, parameters, held)

    def _hold(self, handle, parameters, held=None):
        # A memory's parameters show in its state.
        self.__dict__.update(
            _parameters={} if self._spec["kind"] == "memory" else parameters,
            _held=held or {},
            _handle=handle,
        )
        if not self._own:
            self.__dict__["_jloss"] = handle
        # Looked up once: that takes as long as a call.
        if self._spec["kind"] != "memory":
            self.__dict__["_call"] = handle.apply

    def __getattr__(self, name):
        if name == "_jloss" and self._own:
            return self._as_own()._jloss
        for values in (self.__dict__.get("_parameters", {}), self.__dict__.get("_held", {})):
            if name in values:
                return values[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __repr__(self):
        if "_handle" not in self.__dict__:
            return object.__repr__(self)
        shown = {**self._held, **self._parameters}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    def __eq__(self, other):
        if not isinstance(other, _System):
            return NotImplemented
        if self is other:
            return True
        mine, its = self.__dict__.get("_handle"), other.__dict__.get("_handle")
        alike = mine is its if mine is None or its is None else mine.same(its)
        # Those of jloss by what they are in Java; those of a script's class by that class too, and
        # by the attributes that it gave them.
        if "_spec" in type(self).__dict__ and "_spec" in type(other).__dict__:
            return alike
        return alike and type(self) is type(other) and _equal(self.__getstate__(), other.__getstate__())

    def __hash__(self):
        handle = self.__dict__.get("_handle")
        number = 0 if handle is None else handle.hash()
        # A script's attributes may change, and its objects are not to be lost in a dict for that.
        return number if "_spec" in type(self).__dict__ else hash((type(self), number))

    def __getstate__(self):
        return {k: v for k, v in self.__dict__.items() if k not in _INTERNAL} or None

    def __reduce__(self):
        if "_handle" not in self.__dict__:
            # What object.__reduce_ex__ gives, which would ask this method.
            return copyreg.__newobj__, (type(self),), self.__getstate__()
        return _restored, (type(self), self._parameters, self._held), self.__getstate__()

    def _failure(self, error, inputs):
        """What a call of Java with these tensors is to raise."""
        for spec, given in zip(self._spec["inputs"], inputs):
            if given is not None and not isinstance(given, Tensor):
                return TypeError(
                    f"{self._spec['id']}: expected {spec['name']} to be a Tensor, got {type(given).__name__}"
                )
        return translated(error)

    def _as_own(self):
        """What jloss.loss or jloss.miner makes of an object with a forward of its own."""
        made = self.__dict__.get("_made")
        if made is None:
            from . import _own

            make = _own.miner if isinstance(self, Miner) else _own.loss
            made = self.__dict__["_made"] = make(self)
        return made


def _equal(a, b):
    """Whether attributes are equal, with tensors by their elements."""
    if a is b:
        return True
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        alike = isinstance(a, Tensor) and isinstance(b, Tensor) and a.dtype is b.dtype and a.shape == b.shape
        return alike and bool((a == b).all())
    if type(a) is type(b) and isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    return bool(a == b)


def _tensor_of(data):
    from ._data import tensor

    return tensor(data)


def _handles(inputs):
    return [None if i is None else i._jloss for i in inputs]


def _restored(cls, parameters, held):
    made = cls.__new__(cls)
    made._set(parameters, held)
    return made


class Loss(_System):
    """A loss: called with tensors, it returns a tensor with a graph for backward().

    Losses are immutable; equal ones have the same class and parameters. A subclass with a method
    forward is a loss too; two of a script's subclass are equal where their attributes are as well.
    Losses compose: 0.5 * a + 0.3 * b, see WeightedSum.
    """

    def __call__(self, *inputs, **named):
        return self.forward(*inputs, **named)

    def value_and_grad(self, *inputs, **named):
        """The value and its gradients by the tensors' names, see jloss.loss."""
        return self._as_own().value_and_grad(*inputs, **named)

    def _apply(self, inputs):
        try:
            return wrap_tensor(self._call(*_handles(inputs)))
        except BaseException as error:
            raise self._failure(error, inputs) from None

    def _value_and_grad(self, inputs):
        slopes = self.__dict__.get("_slopes")
        if slopes is None:
            from ._tuples import gradients

            slopes = gradients(self._names)
            self.__dict__.update(_slopes=slopes, _both=self._handle.valueAndGradient)
        try:
            value, *found = self._both(*_handles(inputs))
        except BaseException as error:
            raise self._failure(error, inputs) from None
        return wrap_tensor(value), slopes(*[None if g is None else wrap_tensor(g) for g in found])

    def renamed(self, **names):
        """This loss with other names of its tensors: loss.renamed(target="mask").

        In a sum, tensors of one name are one tensor; a loss that should get another renames its own.
        """
        return WeightedSum((1, self, names))

    def __mul__(self, factor):
        return WeightedSum((factor, self)) if isinstance(factor, (int, float)) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor):
        return self * (1 / divisor) if isinstance(divisor, (int, float)) else NotImplemented

    def __neg__(self):
        return self * -1

    def __pos__(self):
        return self

    def __add__(self, other):
        if isinstance(other, Loss):
            return WeightedSum((1, self), (1, other))
        # What sum() begins with.
        return self if isinstance(other, (int, float)) and other == 0 else NotImplemented

    __radd__ = __add__

    def __sub__(self, other):
        return self + -other if isinstance(other, Loss) else NotImplemented


class WeightedSum(Loss):
    """Losses with factors, added up: what 0.5 * a + 0.3 * b - c / 2 and sum([a, b]) give.

    A loss like any other. Its tensors are those of its terms by name: first those that a term
    requires, then the optional ones, each in the order of the terms; inspect.signature tells. Terms
    that share a name get the same tensor; Loss.renamed keeps them apart. The terms' values must have
    one shape, so give them one reduction.

    terms: tuples of a factor and a loss, and a dict of new names where tensors are renamed.
    """

    def __init__(self, *terms):
        flat = []
        for factor, loss, *names in terms:
            names = names[0] if names else {}
            if not isinstance(loss, WeightedSum):
                flat.append((factor, loss, names))
                continue
            for inner_factor, inner, inner_names in loss._terms:
                old = {new: old for old, new in inner_names.items()}
                renamed = {old.get(n, n): new for n, new in names.items() if n in old or n in _names_of(inner)}
                flat.append((factor * inner_factor, inner, {**inner_names, **renamed}))
        packed = []
        for factor, loss, names in flat:
            packed += float(factor), loss._jloss, tuple(n for pair in names.items() for n in pair)
        self._keep(call(host.sum, tuple(packed)), tuple(flat))

    @classmethod
    def _of(cls, handle, terms):
        made = cls.__new__(cls)
        made._keep(handle, terms)
        return made

    def _keep(self, handle, terms):
        from ._losses import read

        self.__dict__.update(_spec=read(handle.describe()), _terms=terms)
        self._hold(handle, {})

    @property
    def _names(self):
        return tuple(i["name"] for i in self._spec["inputs"])

    @property
    def __signature__(self):
        import inspect

        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature(
            inspect.Parameter(i["name"], kind, default=None if i["optional"] else inspect.Parameter.empty)
            for i in self._spec["inputs"]
        )

    def _ordered(self, inputs, named):
        names = self._names
        if len(inputs) > len(names):
            raise TypeError(f"expected at most {len(names)} tensors ({', '.join(names)}), got {len(inputs)}")
        values = list(inputs)
        for spec in self._spec["inputs"][len(inputs) :]:
            name = spec["name"]
            if name not in named and not spec["optional"]:
                raise TypeError(f"missing the tensor '{name}'; expected {', '.join(names)}")
            values.append(named.pop(name, None))
        for name in named:
            what = "two values for" if name in names else "an unexpected tensor"
            raise TypeError(f"got {what} '{name}'; expected {', '.join(names)}")
        return tuple(values)

    def __call__(self, *inputs, **named):
        """The sum, with a graph where a tensor requires a gradient."""
        return self._apply(self._ordered(inputs, named))

    forward = __call__

    def value_and_grad(self, *inputs, **named):
        """The sum and its gradients by the tensors' names, without a graph."""
        return self._value_and_grad(self._ordered(inputs, named))

    def __setattr__(self, name, value):
        raise AttributeError("WeightedSum is immutable; add and multiply losses to make a new one")

    def __eq__(self, other):
        return self._terms == other._terms if isinstance(other, WeightedSum) else NotImplemented

    def __hash__(self):
        return hash(tuple((factor, loss) for factor, loss, _ in self._terms))

    def __repr__(self):
        text = ""
        for factor, loss, names in self._terms:
            sign = "-" if factor < 0 else "+"
            text += f" {sign} " if text else "-" if factor < 0 else ""
            if abs(factor) != 1:
                text += f"{abs(factor)!r} * "
            text += repr(loss)
            if names:
                text += f".renamed({', '.join(f'{k}={v!r}' for k, v in names.items())})"
        return text

    def __reduce__(self):
        return type(self), self._terms


def _names_of(loss):
    from ._losses import read

    return [i["name"] for i in read(loss._jloss.describe())["inputs"]]


class Miner(_System):
    """A miner: picks triplets or pairs out of a batch of embeddings, as positions without gradient.

    Miners are immutable; equal ones have the same class and parameters. A subclass with a method
    forward is a miner too, see jloss.miner.
    """

    def __call__(self, *inputs, **named):
        return self._as_own()(*inputs, **named)

    def _apply(self, inputs):
        try:
            return indices(self._call(*_handles(inputs)))
        except BaseException as error:
            raise self._failure(error, inputs) from None


def indices(vectors):
    """What a miner returns, by name."""
    from ._tuples import Pairs, Triplets

    vectors = _wrap(vectors)
    return (Triplets if len(vectors) == 3 else Pairs)(*vectors)


class Memory(_System):
    """A store of past embeddings, which keeps a state. Close it, or use it in a with statement."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def enqueue(self, keys):
        """Puts keys in: a copy, without their graph."""
        if not isinstance(keys, Tensor):
            raise self._failure(None, (keys,))
        call(self._handle.enqueue, keys._jloss)

    def keys(self):
        """What it holds: the state itself, which later calls change."""
        return _wrap(call(self._handle.keys))

    @property
    def position(self):
        """Where the next key goes."""
        return call(self._handle.position)

    def save(self, file):
        """Writes the state to a safetensors file, in a folder that is open to the script."""
        call(self._handle.save, os.fsdecode(file))

    @classmethod
    def load(cls, file):
        """Reads what save wrote, in a folder that is open to the script."""
        made = cls.__new__(cls)
        made._hold(call(host.load, cls._spec["id"], os.fsdecode(file)), {})
        return made

    def close(self):
        """Frees the state."""
        call(self._handle.close)

    def __enter__(self):
        return self

    def __exit__(self, *raised):
        self.close()

    def __repr__(self):
        try:
            state = f"keys of shape {list(self.keys().shape)}, position {self.position}"
        except RuntimeError:
            state = "closed"
        return f"{type(self).__name__}({state})"

    def __reduce__(self):
        raise TypeError(f"cannot pickle '{type(self).__name__}' object: it has a method save")


BASES = {"loss": Loss, "miner": Miner, "memory": Memory}
