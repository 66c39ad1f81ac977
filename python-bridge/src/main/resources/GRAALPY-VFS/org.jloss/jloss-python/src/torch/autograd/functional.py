"""Jacobians and Hessians, and their products with vectors."""

from jloss._tensor import Tensor, enable_grad, operator
from torch.autograd import grad


def _op(name):
    return operator(name, "t")


def _given(inputs, create_graph):
    """The inputs as tensors to differentiate by, and whether they were several."""
    several = isinstance(inputs, tuple)
    tensors = inputs if several else (inputs,)
    for one in tensors:
        if not isinstance(one, Tensor):
            raise TypeError(f"The inputs must be either a Tensor or a tuple of Tensors, got {type(one).__name__}")
    if create_graph:
        return tuple(t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in tensors), several
    return tuple(t.detach().requires_grad_() for t in tensors), several


def _computed(func, inputs):
    outputs = func(*inputs)
    several = isinstance(outputs, tuple)
    outputs = outputs if several else (outputs,)
    for one in outputs:
        if not isinstance(one, Tensor):
            raise TypeError(f"The outputs of the function must be tensors, got {type(one).__name__}")
    return outputs, several


def _grad(output, inputs, upstream, create_graph):
    if not output.requires_grad:
        return tuple(_op("zeros_like")(i) for i in inputs)
    return grad(output, inputs, upstream, retain_graph=True, create_graph=create_graph, materialize_grads=True)


def _freed(values, create_graph):
    return values if create_graph else tuple(v.detach() for v in values)


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The derivatives of each element of the outputs by each of the inputs."""
    with enable_grad():
        inputs, several_in = _given(inputs, create_graph)
        outputs, several_out = _computed(func, inputs)
        made = []
        for output in outputs:
            rows = []
            flat = output.reshape(-1)
            for i in range(flat.numel()):
                rows.append(_grad(flat[i], inputs, None, create_graph))
            parts = []
            for k, one in enumerate(inputs):
                shape = tuple(output.shape) + tuple(one.shape)
                if rows:
                    parts.append(_op("stack")([row[k] for row in rows]).view(shape))
                else:
                    parts.append(one.new_zeros(shape))
            parts = _freed(tuple(parts), create_graph)
            made.append(parts if several_in else parts[0])
    return tuple(made) if several_out else made[0]


def _one(func, inputs):
    outputs, several = _computed(func, inputs)
    if several:
        raise RuntimeError("The function given must return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError("The Tensor returned by the function given to hessian should contain a single element")
    return outputs[0].squeeze()


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The second derivatives of a function of one value."""
    several = isinstance(inputs, tuple)

    def slopes(*given):
        return _grad(_one(func, given), given, None, True)

    made = jacobian(slopes, inputs if several else (inputs,), create_graph=create_graph)
    return made if several else made[0][0]


def _vector(v, like, what):
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {what} is a single Tensor with a single element")
        return (_op("ones_like")(like[0]),)
    v = v if isinstance(v, tuple) else (v,)
    if [t.shape for t in v] != [t.shape for t in like]:
        raise RuntimeError(f"v has not the shapes of {what}")
    return v


def _same(values, several):
    return values if several else values[0]


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """The outputs, and the product of a vector with the Jacobian."""
    with enable_grad():
        inputs, several_in = _given(inputs, create_graph)
        outputs, several_out = _computed(func, inputs)
        v = _vector(v, outputs, "the output of the user-provided function")
        found = grad(outputs, inputs, v, retain_graph=True, create_graph=create_graph, materialize_grads=True)
    outputs = _freed(outputs, create_graph)
    return _same(outputs, several_out), _same(_freed(found, create_graph), several_in)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """The outputs, and the product of the Jacobian with a vector."""
    with enable_grad():
        inputs, _ = _given(inputs, create_graph)
        v = _vector(v, inputs, "the input to the user-provided function")
        outputs, several_out = _computed(func, inputs)
        # Linear in these: its own derivative by them is the product.
        weights = tuple(_op("zeros_like")(o).requires_grad_() for o in outputs)
        back = grad(outputs, inputs, weights, create_graph=True, materialize_grads=True)
        live = [(b, one) for b, one in zip(back, v) if b.requires_grad]
        found = grad(
            [b for b, _ in live], weights, [one for _, one in live], create_graph=create_graph, materialize_grads=True
        ) if live else tuple(_op("zeros_like")(o) for o in outputs)
    outputs = _freed(outputs, create_graph)
    return _same(outputs, several_out), _same(_freed(found, create_graph), several_out)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """The value, and the product of a vector with the Hessian."""
    with enable_grad():
        inputs, several = _given(inputs, create_graph)
        v = _vector(v, inputs, "the input to the user-provided function")
        value = _one(func, inputs)
        slopes = _grad(value, inputs, None, True)
        live = [(s, one) for s, one in zip(slopes, v) if s.requires_grad]
        found = grad(
            [s for s, _ in live], inputs, [one for _, one in live], create_graph=create_graph, materialize_grads=True
        ) if live else tuple(_op("zeros_like")(i) for i in inputs)
    value = value if create_graph else value.detach()
    return value, _same(_freed(found, create_graph), several)


# The Hessian is symmetric.
hvp = vhp
