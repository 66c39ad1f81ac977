"""Random numbers: the same as PyTorch's on the CPU."""

from _jloss_host import host

from jloss import _tensor
from jloss._dtypes import cpu
from jloss._errors import call
from jloss._tensor import _wrap, as_seed


class Generator:
    """A source of random numbers of its own, for the generator= of operators."""

    def __init__(self, device="cpu"):
        self._jloss = host.generator()
        self.device = cpu

    def manual_seed(self, seed):
        """Begins anew from a seed; gives this generator."""
        call(self._jloss.seed, as_seed(seed))
        return self

    def seed(self):
        """Begins anew from a seed that the system gives, and tells it."""
        number = _entropy()
        self.manual_seed(number)
        return number

    def initial_seed(self):
        """The seed that it began from."""
        return call(self._jloss.initialSeed) % 2**64

    def get_state(self):
        """A copy of its state."""
        return _wrap(call(self._jloss.getState))

    def set_state(self, state):
        """Goes on from a state."""
        call(self._jloss.setState, state._jloss)
        return self

    def clone_state(self):
        """Another generator in the same state."""
        return Generator().set_state(self.get_state())


class _Default:
    """The generator of operators that are given none."""

    device = cpu

    def manual_seed(self, seed):
        _tensor.manual_seed(seed)
        return self

    def seed(self):
        number = _entropy()
        self.manual_seed(number)
        return number

    def initial_seed(self):
        return call(host.initialSeed) % 2**64

    def get_state(self):
        return _wrap(call(host.rngState))

    def set_state(self, state):
        call(host.setRngState, state._jloss)
        return self


def _entropy():
    import random

    return random.SystemRandom().getrandbits(63)


default_generator = _Default()


def manual_seed(seed):
    """Seeds the random numbers; gives the default generator."""
    return default_generator.manual_seed(seed)


def seed():
    """Seeds the random numbers from the system's, and tells the seed."""
    return default_generator.seed()


def initial_seed():
    """The seed of the random numbers."""
    return default_generator.initial_seed()


def get_rng_state():
    """A copy of the random numbers' state."""
    return default_generator.get_state()


def set_rng_state(new_state):
    """Has the random numbers go on from a state."""
    default_generator.set_state(new_state)


class fork_rng:
    """Leaves the random numbers' state as it was before a with statement."""

    def __init__(self, devices=None, enabled=True, device_type="cpu"):
        self._enabled = enabled

    def __enter__(self):
        self._state = get_rng_state()

    def __exit__(self, *exception):
        if self._enabled:
            set_rng_state(self._state)
