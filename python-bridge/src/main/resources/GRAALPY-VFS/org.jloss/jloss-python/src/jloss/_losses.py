"""Classes and functions of all losses, miners and memories, made from Java's descriptions."""

import math

from _jloss_host import host

from ._errors import call
from ._systems import BASES, WeightedSum, wrap_tensor
from ._tensor import Tensor

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
        found = _specs[id] = read(call(host.spec, id))
    return found


# JSON is Python but for these names, and the module json takes longer to import than all of jloss.
_LITERALS = {
    "__builtins__": {}, "true": True, "false": False, "null": None, "Infinity": math.inf, "NaN": math.nan
}


def read(text):
    """A description from Java."""
    found = eval(str(text), _LITERALS)
    for parameter in found["parameters"]:
        if isinstance(parameter["default"], list):
            parameter["default"] = tuple(parameter["default"])
    if not found["registered"]:
        import keyword

        for k, i in enumerate(found["inputs"]):
            if not i["name"].isidentifier() or keyword.iskeyword(i["name"]) or i["name"][0] == "_":
                i["name"] = f"input{k}"  # a user's own may be called anything
    return found


def from_java(handle):
    """A loss, miner or memory that Java made."""
    about = read(handle.describe())
    if about["kind"] == "sum":
        terms = list(call(handle.terms))
        return WeightedSum._of(
            handle,
            tuple(
                (factor, from_java(part), dict(zip(map(str, names[::2]), map(str, names[1::2]))))
                for factor, part, names in zip(terms[::3], terms[1::3], map(list, terms[2::3]))
            ),
        )
    cls = loss_class(about["name"]) if about["registered"] else own_class(about)
    made = cls.__new__(cls)
    made._hold(handle, {p["name"]: p["default"] for p in about["parameters"]})
    return made


def own_class(about):
    """The class of a system that is not in the registry: of one object."""
    init = "def __init__(self, *args, **kwargs):\n    raise TypeError(message)\n"
    cls = _class(about["name"], BASES[about["kind"]], about, init)
    cls.__reduce__ = _refuse_pickle
    # It is immutable, and may be something that only Java can make.
    cls.__copy__ = lambda self: self
    cls.__deepcopy__ = lambda self, memo: self
    return cls


def _refuse_pickle(self):
    raise TypeError(f"cannot pickle '{type(self).__name__}' object: it is not jloss's own")


def _tensors(spec):
    return ", ".join(i["name"] + ("=None" if i["optional"] else "") for i in spec["inputs"])


def _given(spec):
    """The handles of a loss's tensors, as source text."""
    return ", ".join(
        f"None if {i['name']} is None else {i['name']}._jloss" if i["optional"] else f"{i['name']}._jloss"
        for i in spec["inputs"]
    )


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
        BASES[spec["kind"]],
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


_TARGETS = {"__call__": "_apply", "value_and_grad": "_value_and_grad"}
_METHODS = {
    "loss": {
        "__call__": "The loss, with a graph where a tensor requires a gradient.",
        "value_and_grad": "The value and its gradients by the tensors' names, in one pass without a graph:\n"
        "of those that require one; where none does, of the predictions.",
    },
    "miner": {"__call__": "The picked positions."},
}


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
    if spec["kind"] != "memory":
        tensors = _tensors(spec)
        members["_names"] = tuple(i["name"] for i in spec["inputs"])
        given = ", ".join(members["_names"])
        for method, doc in _METHODS[spec["kind"]].items():
            source = f"def {method}(self, {tensors}):\n    return self.{_TARGETS[method]}(({given},))\n"
            if method == "__call__" and spec["kind"] == "loss":
                # Loss._apply spelled out, as it is what scripts do most.
                source = f"""def __call__(self, {tensors}):
    try:
        return wrap_tensor(self._call({_given(spec)}))
    except BaseException as error:
        raise self._failure(error, ({given},)) from None
"""
            members[method] = _define(source, method, "jloss", wrap_tensor=wrap_tensor)
            members[method].__doc__ = doc
            members[method].__qualname__ = f"{name}.{method}"
        members["forward"] = members["__call__"]
    members["__init__"].__qualname__ = f"{name}.__init__"
    return type(name, (base,), members)


_cache = {}


def _cached(key, names):
    """The loss or miner of these parameters: those of a loop are the same at each step."""
    try:
        found = _cache.get(key)
    except TypeError:  # a list
        return _loss_of(key, names)
    if found is None:
        if len(_cache) >= 256:
            _cache.clear()
        found = _cache[key] = _loss_of(key, names)
    return found


def _loss_of(key, names):
    cls = loss_class(spec(key[0])["name"])
    made = cls.__new__(cls)
    made._set(dict(zip(names, key[1:])))
    return made


def function(id):
    """The function of this id: jloss.functional.<id>, or None."""
    if id not in ids():
        return None
    about = spec(id)
    inputs = [i["name"] for i in about["inputs"]]
    parameters = {p["name"]: p for p in about["parameters"]}
    # A parameter with a tensor's name is either: a tensor an argument, numbers a parameter.
    either = [n for n in inputs if n in parameters]
    only = [n for n in parameters if n not in either]
    listed = _tensors(about)
    if only:
        listed += ", *" + "".join(f", {n}={parameters[n]['default']!r}" for n in only)
    key = [f"_plain({n})" if "Tensor" in parameters[n]["type"] else n for n in only]
    lines = [f"def {id}({listed}):", f"    key, names = ({', '.join([repr(id), *key])},), only"]
    for n in either:
        lines += [
            f"    if {n} is not None and not isinstance({n}, Tensor):",
            f"        key, names, {n} = (*key, {n}), (*names, {n!r}), None",
        ]
    lines.append(f"    return _cached(key, names)({', '.join(inputs)})")
    made = _define(
        "\n".join(lines) + "\n",
        id,
        "jloss.functional",
        Tensor=Tensor,
        _cached=_cached,
        _plain=_plain,
        only=tuple(only),
    )
    made.__doc__ = _document(about)
    return made
