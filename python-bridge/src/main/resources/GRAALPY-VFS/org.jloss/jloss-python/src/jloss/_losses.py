"""Classes and functions of all losses, miners and memories, made from Java's descriptions."""

import collections
import json
import keyword
import math
import os

from _jloss_host import host

from ._errors import call
from ._tensor import Tensor, _wrap

# The order of the parameters of torch.nn's losses, which scripts pass by position.
_TORCH_NN = {
    "L1Loss": "size_average reduce reduction",
    "MSELoss": "size_average reduce reduction",
    "SmoothL1Loss": "size_average reduce reduction beta",
    "HuberLoss": "reduction delta",
    "NLLLoss": "weight size_average ignore_index reduce reduction",
    "PoissonNLLLoss": "log_input full size_average eps reduce reduction",
    "GaussianNLLLoss": "* full eps reduction",
    "KLDivLoss": "size_average reduce reduction log_target",
    "BCELoss": "weight size_average reduce reduction",
    "BCEWithLogitsLoss": "weight size_average reduce reduction pos_weight",
    "CrossEntropyLoss": "weight size_average ignore_index reduce reduction label_smoothing",
    "HingeEmbeddingLoss": "margin size_average reduce reduction",
    "SoftMarginLoss": "size_average reduce reduction",
    "MultiLabelMarginLoss": "size_average reduce reduction",
    "MultiLabelSoftMarginLoss": "weight size_average reduce reduction",
    "MultiMarginLoss": "p margin weight size_average reduce reduction",
    "CosineEmbeddingLoss": "margin size_average reduce reduction",
    "MarginRankingLoss": "margin size_average reduce reduction",
    "TripletMarginLoss": "margin p eps swap size_average reduce reduction",
    "TripletMarginWithDistanceLoss": "* distance_function margin swap reduction",
    "CTCLoss": "blank reduction zero_infinity",
}

_all = [str(n) for n in host.names()]
_ids = dict(zip(_all[::3], _all[1::3]))
_kinds = dict(zip(_all[1::3], _all[2::3]))
_torch_ids = {
    name: id for name in _TORCH_NN for id in _ids.values() if id.replace("_", "") == name.lower()
}
_classes = {}
_specs = {}


def names():
    """The names of all classes."""
    return [*_ids, *_torch_ids]


def ids():
    """The names of all functions: of what keeps a state there is none."""
    return [id for id, kind in _kinds.items() if kind != "memory"]


Triplets = collections.namedtuple("Triplets", "anchor positive negative")
Triplets.__doc__ = "Positions in a batch, one vector each."
Pairs = collections.namedtuple("Pairs", "anchor1 positive anchor2 negative")
Pairs.__doc__ = "Positions in a batch: (anchor1, positive) are alike, (anchor2, negative) are not."


class _System:
    """What losses, miners and memories have in common."""

    def __setattr__(self, name, value):
        # A subclass of the script's own may keep what it likes.
        if "_spec" in type(self).__dict__ and name not in ("_parameters", "_held", "_jloss"):
            kind = type(self).__name__
            raise AttributeError(f"{kind} is immutable; make a new one: {kind}({name}={value!r})")
        object.__setattr__(self, name, value)

    def _set(self, parameters, held=None):
        self._hold(_create(self._spec["id"], parameters), parameters, held)

    def _hold(self, handle, parameters, held=None):
        # A memory's parameters show in its state.
        self._parameters = {} if self._spec["kind"] == "memory" else parameters
        self._held = held or {}
        self._jloss = handle

    def __getattr__(self, name):
        parameters = self.__dict__.get("_parameters", {})
        if name in parameters:
            return parameters[name]
        held = self.__dict__.get("_held", {})
        if name in held:
            return held[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def _inputs(self, inputs):
        if not self._held:
            return tuple([i._jloss if isinstance(i, Tensor) else i for i in inputs])
        return tuple(
            self._held.get(spec["name"]) if given is None else given
            for spec, given in zip(self._spec["inputs"], inputs)
        )

    def __repr__(self):
        shown = {**self._held, **self._parameters}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    def __eq__(self, other):
        if not isinstance(other, _System):
            return NotImplemented
        if "_jloss" not in self.__dict__ or "_jloss" not in other.__dict__:
            return self is other
        return self._held == other._held and self._jloss.same(other._jloss)

    def __hash__(self):
        return self._jloss.hash() if "_jloss" in self.__dict__ else object.__hash__(self)

    def __reduce__(self):
        if "_jloss" not in self.__dict__:
            return object.__reduce_ex__(self, 2)
        if not self._spec["registered"]:
            raise TypeError(f"cannot pickle '{type(self).__name__}' object: it is not jloss's own")
        return _unpickled, (type(self).__name__, self._parameters, self._held)


class Loss(_System):
    """A loss: called with tensors, it returns a tensor with a graph for backward().

    Losses are immutable; equal ones have the same class and parameters. A subclass with a method
    forward is a loss too.
    """

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def value_and_grad(self, *inputs):
        """The value and its gradients by the tensors' names, see jloss.loss."""
        return loss(self).value_and_grad(*inputs)

    def _apply(self, inputs):
        return _wrap(call(self._jloss.apply, self._inputs(inputs)))

    def _value_and_grad(self, inputs):
        value, *gradients = call(self._jloss.valueAndGradient, self._inputs(inputs))
        return _wrap(value), self._gradients(*map(_wrap, gradients))


class Miner(_System):
    """A miner: picks triplets or pairs out of a batch of embeddings, as positions without gradient.

    Miners are immutable; equal ones have the same class and parameters.
    """

    def _apply(self, inputs):
        return _indices(call(self._jloss.apply, self._inputs(inputs)))


class Memory(_System):
    """A store of past embeddings, which keeps a state. Close it, or use it in a with statement."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def enqueue(self, keys):
        """Puts keys in: a copy, without their graph."""
        call(self._jloss.enqueue, (keys,))

    def keys(self):
        """What it holds: the state itself, which later calls change."""
        return _wrap(call(self._jloss.keys))

    @property
    def position(self):
        """Where the next key goes."""
        return call(self._jloss.position)

    def save(self, file):
        """Writes the state to a safetensors file, in a folder that is open to the script."""
        call(self._jloss.save, os.fsdecode(file))

    @classmethod
    def load(cls, file):
        """Reads what save wrote, in a folder that is open to the script."""
        made = cls.__new__(cls)
        made._hold(call(host.load, cls._spec["id"], os.fsdecode(file)), {})
        return made

    def close(self):
        """Frees the state."""
        call(self._jloss.close)

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


_BASES = {"loss": Loss, "miner": Miner, "memory": Memory}


def _indices(vectors):
    vectors = _wrap(vectors)
    return (Triplets if len(vectors) == 3 else Pairs)(*vectors)


def _unpickled(name, parameters, held):
    cls = loss_class(name)
    made = cls.__new__(cls)
    made._set(parameters, held)
    return made


def _create(id, parameters):
    return call(host.make, id, tuple(parameters), tuple(parameters.values()))


def _plain(value):
    """A parameter's value: tensors, say of class weights, as the numbers that they hold."""
    return value.tolist() if isinstance(value, Tensor) else value


def _reduction(size_average, reduce, reduction):
    """torch.nn's older spelling of the reduction."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def spec(id):
    """What a loss is."""
    found = _specs.get(id)
    if found is None:
        found = _specs[id] = _read(call(host.spec, id))
    return found


def _read(text):
    found = json.loads(str(text))
    for parameter in found["parameters"]:
        default = parameter["default"]
        if default in ("inf", "-inf"):
            parameter["default"] = math.inf if default == "inf" else -math.inf
        elif isinstance(default, list):
            parameter["default"] = tuple(default)
    for k, i in enumerate(found["inputs"]):
        if not i["name"].isidentifier() or keyword.iskeyword(i["name"]) or i["name"][0] == "_":
            i["name"] = f"input{k}"  # a user's own may be called anything
    return found


def _from_java(handle, text):
    """A loss, miner or memory that Java made."""
    about = _read(text)
    name = about["name"]
    if about["registered"]:
        cls = loss_class(name)
    else:
        init = "def __init__(self, *args, **kwargs):\n    raise TypeError(message)\n"
        cls = _class(name, _BASES[about["kind"]], about, init)
    made = cls.__new__(cls)
    made._hold(handle, {p["name"]: p["default"] for p in about["parameters"]})
    return made


def loss(function, name=None):
    """A loss like the library's own from a function of tensors, or an object with a method forward.

    Its tensors are the parameters that have no default, and those after them whose default is None,
    which may be left out; others keep their default. It must return a tensor, which autograd
    differentiates. PythonBridge.get hands such a loss to Java.
    """
    import inspect

    if isinstance(function, Loss) and "_jloss" in function.__dict__:
        return function
    forward = getattr(function, "forward", function)
    if isinstance(function, type) or not callable(forward):
        raise TypeError(f"loss(): expected a function of tensors, got {function!r}")
    if name is None:
        name = getattr(function, "__name__", type(function).__name__).strip("<>")
    names, required = [], 0
    for parameter in inspect.signature(forward).parameters.values():
        if parameter.kind > parameter.POSITIONAL_OR_KEYWORD:
            break
        if parameter.default is parameter.empty:
            required += 1
        elif parameter.default is not None:
            break
        names.append(parameter.name)
    if not names:
        raise TypeError(f"loss(): expected {name} to have a parameter for each tensor")

    def formula(*handles):
        result = forward(*[_wrap(h) for h in handles])
        if not isinstance(result, Tensor):
            raise TypeError(f"{name}: expected a Tensor, got {type(result).__name__}")
        return result._jloss

    handle = call(host.own, name, tuple(names), required, formula)
    return _from_java(handle, call(host.describe, handle))


def _tensors(spec):
    return ", ".join(i["name"] + ("=None" if i["optional"] else "") for i in spec["inputs"])


def _define(source, name, module, **globals):
    namespace = dict(globals, inf=math.inf)
    exec(compile(source, f"<jloss {module}>", "exec"), namespace)
    function = namespace[name]
    function.__module__ = module
    return function


def _document(spec):
    """Formula, tensors and parameters in words."""
    lines = [spec["formula"], "", "Tensors:"]
    for i in spec["inputs"]:
        optional = ", may be left out" if i["optional"] else ""
        lines.append(f"    {i['name']} ({i['shape']}): {i['domain'].replace('_', ' ')}{optional}")
    if spec["parameters"]:
        lines += ["", "Parameters:"]
    for p in spec["parameters"]:
        legal = f", {p['range']}" if p["range"] else ""
        lines.append(f"    {p['name']} ({p['type']}{legal}): default {p['default']!r}")
    return "\n".join([*lines, "", f"Source: {spec['source']}"])


def loss_class(name):
    """The class of this name, or None."""
    found = _classes.get(name)
    if found is None:
        if name in _ids:
            found = _make(name, spec(_ids[name]))
        elif name in _torch_ids:
            found = _make_torch(name, spec(_torch_ids[name]))
        else:
            return None
        _classes[name] = found
    return found


def _make(name, spec):
    parameters = {p["name"]: p["default"] for p in spec["parameters"]}
    listed = "".join(f", {n}={d!r}" for n, d in parameters.items())
    given = ", ".join(f"{n!r}: _plain({n})" for n in parameters)
    # A memory's are its sizes, which read well by position.
    star = ", *" if parameters and spec["kind"] != "memory" else ""
    return _class(
        name,
        _BASES[spec["kind"]],
        spec,
        f"def __init__(self{star}{listed}):\n    self._set({{{given}}})\n",
    )


def _make_torch(name, spec):
    """The same with torch.nn's name and order of parameters."""
    base = loss_class(spec["name"])
    if spec["name"] == name:
        return base
    defaults = {p["name"]: p["default"] for p in spec["parameters"]}
    tensors = [i["name"] for i in spec["inputs"] if i["optional"] and i["name"] not in defaults]
    order = _TORCH_NN[name].split()
    listed, held = [], []
    for parameter in order:
        if parameter == "*":
            listed.append("*")
        elif parameter in ("size_average", "reduce"):
            listed.append(f"{parameter}=None")
        elif parameter in defaults:
            listed.append(f"{parameter}={defaults[parameter]!r}")
        elif parameter in tensors:
            listed.append(f"{parameter}=None")
            held.append(parameter)
    more = [p for p in defaults if p not in order]
    if more and "*" not in order:
        listed.append("*")
    listed += [f"{p}={defaults[p]!r}" for p in more]
    given = ", ".join(f"{n!r}: _plain({n})" for n in defaults)
    kept = ", ".join(f"{n!r}: {n}" for n in held)
    old = (
        "    reduction = _reduction(size_average, reduce, reduction)\n" if "reduce" in order else ""
    )
    return _class(
        name,
        base,
        spec,
        f"def __init__(self, {', '.join(listed)}):\n{old}"
        f"    self._set({{{given}}}, {{k: v for k, v in {{{kept}}}.items() if v is not None}})\n",
    )


def _class(name, base, spec, init):
    members = {
        "__doc__": _document(spec),
        "__module__": "jloss",
        "_spec": spec,
        "__init__": _define(
            init,
            "__init__",
            "jloss",
            _plain=_plain,
            _reduction=_reduction,
            message=f"{name} was made outside of jloss: there is no making another here",
        ),
    }
    if base is Loss or base is Miner:
        tensors = _tensors(spec)
        names = ", ".join(i["name"] for i in spec["inputs"])
        members["_gradients"] = collections.namedtuple(
            "Gradients", [i["name"] for i in spec["inputs"]]
        )
        for method, target, doc in (
            (
                "__call__",
                "_apply",
                "The loss, with a graph where a tensor requires a gradient."
                if base is Loss
                else "The picked positions.",
            ),
            (
                "value_and_grad",
                "_value_and_grad",
                "The value and its gradients by the tensors' names, in one pass without a graph:\n"
                "of those that require one; where none does, of the predictions.",
            ),
        ):
            if base is Miner and method == "value_and_grad":
                continue
            source = f"def {method}(self, {tensors}):\n    return self.{target}(({names},))\n"
            members[method] = _define(source, method, "jloss")
            members[method].__doc__ = doc
            members[method].__qualname__ = f"{name}.{method}"
        members["forward"] = members["__call__"]
    members["__init__"].__qualname__ = f"{name}.__init__"
    return type(name, (base,), members)


_cache = {}


def _cached(id, parameters):
    """Java's loss or miner of these parameters: those of a loop are the same at each step."""
    try:
        key = (id, *parameters.values())
        found = _cache.get(key)
    except TypeError:  # a list
        return _create(id, parameters)
    if found is None:
        if len(_cache) >= 256:
            _cache.clear()
        found = _cache[key] = _create(id, parameters)
    return found


def function(id):
    """The function of this id: jloss.functional.<id>, or None."""
    if id not in ids():
        return None
    about = spec(id)
    inputs = [i["name"] for i in about["inputs"]]
    parameters = {p["name"]: p["default"] for p in about["parameters"]}
    # A parameter with a tensor's name is either: a tensor an argument, numbers a parameter.
    either = [n for n in inputs if n in parameters]
    listed = _tensors(about)
    only = {n: d for n, d in parameters.items() if n not in either}
    if only:
        listed += ", *" + "".join(f", {n}={d!r}" for n, d in only.items())
    lines = [f"def {id}({listed}):", f"    parameters = {{{', '.join(f'{n!r}: _plain({n})' for n in only)}}}"]
    for n in either:
        lines += [
            f"    if {n} is not None and not isinstance({n}, Tensor):",
            f"        parameters[{n!r}], {n} = {n}, None",
        ]
    lines.append(f"    return _wrap(call(_cached({id!r}, parameters).apply, ({', '.join(inputs)},)))")
    made = _define(
        "\n".join(lines) + "\n",
        id,
        "jloss.functional",
        Tensor=Tensor,
        _cached=_cached,
        _plain=_plain,
        _wrap=_indices if about["kind"] == "miner" else _wrap,
        call=call,
    )
    made.__doc__ = _document(about)
    return made
