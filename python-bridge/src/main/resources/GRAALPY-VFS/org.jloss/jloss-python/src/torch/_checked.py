"""Operators of libtorch that trust their arguments, behind checks in Java."""

from _jloss_host import host
from jloss._errors import call
from jloss._tensor import Tensor, _wrap

_ops = host.checked()


def _lengths(value):
    if isinstance(value, Tensor):
        return tuple(value.reshape(-1).tolist())
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=1, zero_infinity=False):
    """The loss of sequences."""
    for name, value in (("log_probs", log_probs), ("targets", targets)):
        if not isinstance(value, Tensor):
            raise TypeError(f"ctc_loss(): argument '{name}' must be Tensor, not {type(value).__name__}")
    return _wrap(
        call(
            _ops.ctcLoss,
            log_probs._jloss,
            targets._jloss,
            _lengths(input_lengths),
            _lengths(target_lengths),
            blank,
            reduction,
            bool(zero_infinity),
        )
    )


def rnn(kind, input, states, parameters, *options, batch_sizes=()):
    """A recurrent network: its output and the states after it; of packed sequences with batch_sizes."""
    handles = (tuple(t._jloss for t in tensors) for tensors in (states, parameters))
    return _wrap(call(_ops.rnn, kind, input._jloss, tuple(batch_sizes), *handles, *options))


def optimizer_step(name, lists, **options):
    """A step of an optimiser over lists of contiguous tensors, in place."""
    handles = tuple([tuple([t._jloss for t in tensors]) for tensors in lists])
    call(_ops.step, name, handles, tuple(options), tuple(options.values()))
