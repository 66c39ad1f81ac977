"""Functions made of functions: gradients, Jacobians, batches, modules without a state.

Gradients come from the graph that autograd records, batches from a loop.
"""

import torch
from torch.autograd import grad as _grad
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from jloss._tensor import missing as _missing

__all__ = [
    "grad", "grad_and_value", "vjp", "jvp", "jacrev", "jacfwd", "hessian", "vmap", "functional_call",
    "stack_module_state",
]  # fmt: skip


def __getattr__(name):
    raise _missing("module 'torch.func'", name, lambda: __all__)


class _Level:
    """Arguments as variables of their own, and results without the graph to those."""

    def __init__(self, name, tree):
        self.leaves, self.spec = tree_flatten(tree)
        for leaf in self.leaves:
            if not isinstance(leaf, torch.Tensor):
                raise RuntimeError(f"{name}: Expected all arguments to be Tensors, got {type(leaf).__name__}")
        self.recorded = torch.is_grad_enabled()
        with torch.enable_grad():
            # What has a graph keeps it, as the caller or a transform around this one may ask for it.
            self.variables = [
                leaf.view_as(leaf) if leaf.requires_grad else leaf.detach().requires_grad_() for leaf in self.leaves
            ]
            own = [v for v in self.variables if v.is_leaf]
            self.nodes = tuple(v.view_as(v).grad_fn.next_functions[0][0]._jloss for v in own)
        self.own = {id(v) for v in own}
        self.arguments = tree_unflatten(self.variables, self.spec)

    def gradients(self, output, upstream=None):
        """Of one tensor, zeros where an argument has no part in it."""
        if not output.requires_grad:
            return [torch.zeros_like(v) for v in self.variables]
        with torch.enable_grad():
            return list(
                _grad(output, self.variables, upstream, create_graph=True, allow_unused=True, materialize_grads=True)
            )

    def settled(self, tree):
        """Results as the caller gets them."""
        return tree_map(self._settled, tree)

    def _settled(self, value):
        if not isinstance(value, torch.Tensor) or not value.requires_grad:
            return value
        node = value.grad_fn
        if self.recorded and (node._jloss.reachesOther(self.nodes) if node else id(value) not in self.own):
            return value
        return value.detach()


def _chosen(name, args, argnums):
    """The arguments by which is differentiated, and the function that puts others in their place."""
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in numbers:
        if not -len(args) <= number < len(args):
            raise RuntimeError(f"Got argnum={number}, but only {len(args)} positional inputs")
    numbers = tuple(n % len(args) for n in numbers)

    def put(values):
        values = (values,) if isinstance(argnums, int) else values
        given = list(args)
        for number, value in zip(numbers, values):
            given[number] = value
        return given

    picked = tuple(args[n] for n in numbers)
    return _Level(name, picked[0] if isinstance(argnums, int) else picked), put


def _split(result, has_aux):
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError("expected a function with has_aux to give a tuple (output, aux)")
    return result


def grad_and_value(func, argnums=0, has_aux=False):
    """The function that gives the gradient of a scalar function by its arguments argnums, and its value."""

    def run(*args, **kwargs):
        level, put = _chosen("grad", args, argnums)
        with torch.enable_grad():
            output, aux = _split(func(*put(level.arguments), **kwargs), has_aux)
        if not isinstance(output, torch.Tensor):
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a tensor, got {type(output)}")
        if output.dim() != 0:
            raise RuntimeError(
                "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                f"{output.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        gradient = tree_unflatten(level.gradients(output), level.spec)
        return level.settled((gradient, (output, aux) if has_aux else output))

    return run


def grad(func, argnums=0, has_aux=False):
    """The function that gives the gradient of a scalar function by its arguments argnums."""
    both = grad_and_value(func, argnums, has_aux)

    def run(*args, **kwargs):
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return run


def vjp(func, *primals, has_aux=False):
    """A function's value, and the function that gives the products of vectors with its Jacobian."""
    level = _Level("vjp", primals)
    with torch.enable_grad():
        output, aux = _split(func(*level.arguments), has_aux)
    outputs, _ = tree_flatten(output)

    def pull(cotangents, retain_graph=True, create_graph=None):
        found = None
        for one, upstream in zip(outputs, tree_leaves(cotangents), strict=True):
            part = level.gradients(one, upstream)
            found = part if found is None else [a + b for a, b in zip(found, part)]
        gradient = tree_unflatten(found, level.spec)
        return level.settled(gradient)

    result = level.settled(output)
    return (result, pull, level.settled(aux)) if has_aux else (result, pull)


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """A function's value, and the product of its Jacobian with a vector."""
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be tuples")
    level = _Level("jvp", primals)
    with torch.enable_grad():
        output, aux = _split(func(*level.arguments), has_aux)
        outputs, spec = tree_flatten(output)
        found = []
        for one in outputs:
            # The Jacobian's product with a vector is linear in it: its gradient is what is asked for.
            vector = torch.zeros_like(one).requires_grad_()
            products = [p for p in level.gradients(one, vector)]
            terms = [(p * t).sum() for p, t in zip(products, tree_leaves(tangents), strict=True) if p.requires_grad]
            total = sum(terms) if terms else None
            part = None
            if total is not None:
                (part,) = _grad(total, vector, create_graph=True, allow_unused=True)
            found.append(torch.zeros_like(one) if part is None else part)
    result = level.settled((output, tree_unflatten(found, spec)))
    return (*result, level.settled(aux)) if has_aux else result


def jacrev(func, argnums=0, has_aux=False, *, chunk_size=None, _preallocate_and_copy=False):
    """The function that gives the Jacobian of a function by its arguments argnums."""

    def run(*args, **kwargs):
        level, put = _chosen("jacrev", args, argnums)
        with torch.enable_grad():
            output, aux = _split(func(*put(level.arguments), **kwargs), has_aux)

        def jacobian(one):
            with torch.enable_grad():
                rows = [level.gradients(element) for element in one.reshape(-1)]
                if not rows:
                    rows_of = [torch.zeros((0, *v.shape), dtype=v.dtype) for v in level.variables]
                else:
                    rows_of = [torch.stack(column) for column in zip(*rows)]
                parts = [r.reshape(one.shape + v.shape) for r, v in zip(rows_of, level.variables)]
            return tree_unflatten(parts, level.spec)

        leaves, spec = tree_flatten(output)
        result = level.settled(tree_unflatten([jacobian(one) for one in leaves], spec))
        return (result, level.settled(aux)) if has_aux else result

    return run


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """The same as jacrev: there is no forward mode."""
    return jacrev(func, argnums, has_aux)


def hessian(func, argnums=0):
    """The function that gives the Jacobian of the gradient."""
    return jacfwd(jacrev(func, argnums), argnums)


def _axes(tree, dims):
    """An axis, or None, for each leaf of a tree; dims may stop short of the leaves."""
    if dims is None or isinstance(dims, int):
        return [dims] * len(tree_leaves(tree))
    parts = list(tree.values()) if isinstance(tree, dict) else tree
    dims = list(dims.values()) if isinstance(dims, dict) else dims
    if not isinstance(parts, (list, tuple)) or len(parts) != len(dims):
        raise ValueError("vmap: in_dims is not compatible with the structure of inputs")
    return [axis for part, dim in zip(parts, dims) for axis in _axes(part, dim)]


def _lengthened(tensor, axis):
    """An empty tensor with an element of zeros along an axis."""
    shape = list(tensor.shape)
    shape[axis] = 1
    return torch.cat([tensor, tensor.new_zeros(shape)], axis)


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """The function applied to each element along an axis of its arguments, the results along another.

    randomness: "same" draws the same numbers for each element; "error" draws as "different" does.
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")

    name = getattr(func, "__name__", func)
    title = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"

    def run(*args, **kwargs):
        given = args, kwargs
        leaves, spec = tree_flatten(given)
        axes = _axes(args, in_dims if in_dims is None or isinstance(in_dims, int) else tuple(in_dims))
        axes += [0] * len(tree_leaves(kwargs))
        mapped = [(leaf, axis) for leaf, axis in zip(leaves, axes) if axis is not None]
        if not mapped:
            raise ValueError(f"{title}: at least one input must have an axis in in_dims")
        for leaf, axis in mapped:
            if not isinstance(leaf, torch.Tensor):
                raise ValueError(
                    f"{title}: Got in_dim={axis} for an input but the input is of type {type(leaf)}. We cannot vmap "
                    "over non-Tensor arguments, please use None as the respective in_dim"
                )
            if not -leaf.dim() <= axis < leaf.dim():
                raise ValueError(
                    f"{title}: Got in_dim={axis} for some input, but that input is a Tensor of dimensionality "
                    f"{leaf.dim()}"
                )
        sizes = [leaf.size(axis) for leaf, axis in mapped]
        if len(set(sizes)) > 1:
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                f"{sizes} for the mapped dimension"
            )
        state = torch.get_rng_state() if randomness == "same" else None
        count = sizes[0]
        if not count:
            # One element in its place tells what the function gives.
            leaves = [leaf if axis is None else _lengthened(leaf, axis) for leaf, axis in zip(leaves, axes)]
        rows, shape = [], None
        for i in range(max(count, 1)):
            if state is not None:
                torch.set_rng_state(state)
            part = [leaf if axis is None else leaf.select(axis, i) for leaf, axis in zip(leaves, axes)]
            part_args, part_kwargs = tree_unflatten(part, spec)
            found, shape = tree_flatten(func(*part_args, **part_kwargs))
            for one in found:
                if not isinstance(one, torch.Tensor):
                    raise ValueError(f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(one)}.")
            rows.append(found)
        columns = [list(column) for column in zip(*rows)]
        result = tree_unflatten([column[0] for column in columns], shape)
        results = [torch.stack(column, axis) for column, axis in zip(columns, _axes(result, out_dims))]
        if not count:
            results = [one.narrow(axis, 0, 0) for one, axis in zip(results, _axes(result, out_dims))]
        return tree_unflatten(results, shape)

    return run


def functional_call(module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """What a module gives with other parameters and buffers, by name, than its own."""
    given = parameter_and_buffer_dicts
    if not isinstance(given, dict):
        given = {name: value for part in given for name, value in part.items()}
    places = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for members in (part._parameters, part._buffers):
            for name, value in members.items():
                if value is not None:
                    places[f"{prefix}.{name}" if prefix else name] = members, name, value
    unexpected = [name for name in given if name not in places]
    if strict and (unexpected or len(given) < len(places)):
        missing = [name for name in places if name not in given]
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(module).__name__}:\n\tMissing key(s): {missing}, unexpected "
            f"key(s): {unexpected}."
        )
    by_own = {id(places[name][2]): value for name, value in given.items() if name in places}
    changed = []
    try:
        for name, (members, key, own) in places.items():
            if name in given or tie_weights and id(own) in by_own:
                changed.append((members, key, own))
                members[key] = given[name] if name in given else by_own[id(own)]
        args = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*args, **(kwargs or {}))
    finally:
        for members, key, own in changed:
            members[key] = own


def stack_module_state(models):
    """The parameters of several models of one kind, stacked by name, and their buffers."""
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")

    def stacked(members, detached):
        found = [dict(members(m)) for m in models]
        return {
            name: torch.stack([f[name] for f in found]).detach().requires_grad_(detached and value.requires_grad)
            for name, value in found[0].items()
        }

    return stacked(lambda m: m.named_parameters(), True), stacked(lambda m: m.named_buffers(), False)
