"""Gradients against differences."""

from jloss._tensor import Tensor, no_grad, operator
from torch.autograd import grad


class GradcheckError(RuntimeError):
    """A gradient that differs from the difference of values."""


def _outputs(func, inputs):
    outputs = func(*inputs)
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return tuple(o for o in outputs if isinstance(o, Tensor) and o.is_floating_point())


def _numerical(func, inputs, position, count, eps):
    """Of each output the rows of differences by one input's elements."""
    one = inputs[position]
    base = one.detach().clone()
    columns = [[] for _ in range(count)]
    with no_grad():
        for i in range(base.numel()):
            values = []
            for sign in (1, -1):
                moved = base.clone().reshape(-1)
                moved[i] += sign * eps
                given = list(inputs)
                given[position] = moved.view(base.shape)
                values.append([o.detach().clone().reshape(-1) for o in _outputs(func, given)])
            for k in range(count):
                columns[k].append((values[0][k] - values[1][k]) / (2 * eps))
    return columns


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Whether the gradients are those that differences of values show; inputs are float64."""
    if check_batched_grad or check_forward_ad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: batched and forward modes are not supported")
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    varied = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
    if not varied:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, "
            "but none of the them have requires_grad=True."
        )
    outputs = _outputs(func, inputs)
    for position in varied:
        columns = _numerical(func, inputs, position, len(outputs), eps)
        for k, output in enumerate(outputs):
            flat = output.reshape(-1)
            for row in range(flat.numel()):
                found = None
                if flat.requires_grad:
                    (found,) = grad(flat[row], (inputs[position],), retain_graph=True, allow_unused=True)
                analytical = [0.0] * inputs[position].numel() if found is None else found.reshape(-1).tolist()
                numerical = [column[row].item() for column in columns[k]]
                for a, n in zip(analytical, numerical):
                    if not abs(a - n) <= atol + rtol * abs(n):
                        if not raise_exception:
                            return False
                        raise GradcheckError(
                            f"Jacobian mismatch for output {k} with respect to input {position},\n"
                            f"numerical:{numerical}\nanalytical:{analytical}\n"
                        )
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    gen_non_contig_grad_outputs=False,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_fwd_over_rev=False,
    check_rev_over_rev=True,
    fast_mode=False,
    masked=False,
):
    """The same for the gradients' own gradients."""
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    varied = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
    outputs = _outputs(func, inputs)
    if grad_outputs is None:
        grad_outputs = tuple(operator("randn_like", "t")(o).requires_grad_() for o in outputs)
    elif isinstance(grad_outputs, Tensor):
        grad_outputs = (grad_outputs,)
    count = len(inputs)

    def slopes(*given):
        # Within differences grad mode is off.
        from jloss._tensor import enable_grad

        with enable_grad():
            leaves = [
                t if not isinstance(t, Tensor) or i not in varied or t.requires_grad else t.detach().requires_grad_()
                for i, t in enumerate(given[:count])
            ]
            found = grad(
                _outputs(func, leaves),
                [leaves[i] for i in varied],
                given[count:],
                create_graph=True,
                allow_unused=True,
            )
            return tuple(f for f in found if f is not None)

    return gradcheck(
        slopes, inputs + tuple(grad_outputs), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
    )
