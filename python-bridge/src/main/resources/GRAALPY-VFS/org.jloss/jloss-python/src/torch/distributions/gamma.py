"""The gamma distribution."""

import torch
from jloss._tensor import operator
from torch.distributions import constraints
from torch.distributions.distribution import _Scalar


class Gamma(_Scalar):
    """Of a shape, concentration, and a rate."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    mean = property(lambda self: self.concentration / self.rate)
    mode = property(lambda self: ((self.concentration - 1) / self.rate).clamp(min=0))
    variance = property(lambda self: self.concentration / self.rate.pow(2))

    def __init__(self, concentration, rate, validate_args=None):
        self._take(validate_args, concentration=concentration, rate=rate)

    def rsample(self, sample_shape=torch.Size()):
        shape = self._extended_shape(sample_shape)
        value = operator("_standard_gamma", "p")(self.concentration.expand(shape)) / self.rate.expand(shape)
        # Not 0, which has no density; the gradient does not see it.
        value.detach().clamp_(min=torch.finfo(value.dtype).tiny)
        return value

    def log_prob(self, value):
        value = self._checked(torch.as_tensor(value, dtype=self.rate.dtype))
        return (
            torch.xlogy(self.concentration, self.rate)
            + torch.xlogy(self.concentration - 1, value)
            - self.rate * value
            - torch.lgamma(self.concentration)
        )

    def cdf(self, value):
        return torch.special.gammainc(self.concentration, self.rate * self._checked(value))

    def entropy(self):
        return (
            self.concentration
            - torch.log(self.rate)
            + torch.lgamma(self.concentration)
            + (1.0 - self.concentration) * torch.digamma(self.concentration)
        )
