"""Scripts over torch.distributions: what each case returns in CPython is recorded in expected.json by record.py."""

import torch
import torch.distributions as D
from nn_cases import error, values
from torch.distributions import Independent, Normal, constraints, kl_divergence, transforms as T


def parameter(*numbers):
    return torch.tensor(numbers, requires_grad=True)


def normal():
    return Normal(parameter(0.5, -1.0, 2.0), parameter(1.0, 0.5, 2.0))


def laplace():
    return D.Laplace(parameter(0.5, -1.0), parameter(1.0, 0.5))


def uniform():
    return D.Uniform(parameter(0.0, -1.0), parameter(1.0, 3.0))


def exponential():
    return D.Exponential(parameter(0.5, 2.0))


def gamma():
    return D.Gamma(parameter(0.5, 2.0), parameter(1.0, 3.0))


def beta():
    return D.Beta(parameter(0.5, 2.0), parameter(1.0, 3.0))


def dirichlet():
    return D.Dirichlet(torch.tensor([[0.5, 1.0, 2.0], [3.0, 0.2, 1.0]], requires_grad=True))


def multivariate():
    return D.MultivariateNormal(parameter(0.5, -1.0), torch.tensor([[2.0, 0.5], [0.5, 1.0]], requires_grad=True))


def bernoulli():
    return D.Bernoulli(logits=parameter(0.5, -1.0))


def categorical():
    return D.Categorical(logits=values(2, 4).requires_grad_())


def one_hot():
    return D.OneHotCategorical(probs=torch.tensor([[0.2, 0.3, 0.5]], requires_grad=True))


def poisson():
    return D.Poisson(parameter(0.5, 4.0))


def independent():
    return Independent(normal(), 1)


MADE = (
    normal,
    laplace,
    uniform,
    exponential,
    gamma,
    beta,
    dirichlet,
    multivariate,
    independent,
    bernoulli,
    categorical,
    one_hot,
    poisson,
)


def slopes(made, result):
    """The gradients of the parameters."""
    result.sum().backward()
    leaves = [made.__dict__.get(n) for n in ("loc", "scale", "low", "high", "rate", "concentration", "logits", "probs")]
    return [None if p is None or not p.is_leaf else p.grad for p in leaves]


def asked(f):
    """What f gives, or what it says."""
    try:
        return f()
    except NotImplementedError as raised:
        return f"NotImplementedError: {raised}"


def about(make):
    torch.manual_seed(3)
    made = make()
    drawn = made.sample((3,))
    return (
        repr(made),
        drawn,
        made.sample(),
        tuple(made.batch_shape),
        tuple(made.event_shape),
        repr(made.support),
        made.log_prob(drawn),
        slopes(made, made.log_prob(drawn)),
        [asked(lambda: getattr(made, n)) for n in ("mean", "mode", "variance", "stddev")],
        asked(lambda: made.entropy()) if make is not poisson else None,
        made.has_rsample,
    )


def case_continuous():
    return [about(m) for m in MADE[:9]]


def case_discrete():
    return [about(m) for m in MADE[9:]]


def case_reparameterized():
    found = []
    for make in MADE[:8]:
        torch.manual_seed(5)
        made = make()
        drawn = made.rsample((2,))
        found.append((drawn, slopes(made, (drawn * values(*drawn.shape)))))
    return found


def case_expand():
    found = []
    for make in MADE:
        made = make()
        more = made.expand((2, *made.batch_shape))
        found.append((tuple(more.batch_shape), tuple(more.event_shape), repr(more), more.mean))
    return found


def case_cumulative():
    x = torch.tensor([0.25, 0.75])
    return [
        (made.cdf(x), asked(lambda: made.icdf(x)))
        for made in (Normal(0.5, 2.0), D.Laplace(0.5, 2.0), D.Uniform(0.0, 1.5), D.Exponential(2.0), D.Gamma(2.0, 1.5))
    ]


def case_divergences():
    pairs = [
        (normal(), Normal(0.0, 1.0)),
        (laplace(), D.Laplace(0.0, 2.0)),
        (uniform(), D.Uniform(-1.0, 2.0)),
        (exponential(), D.Exponential(1.0)),
        (gamma(), D.Gamma(1.0, 2.0)),
        (beta(), D.Beta(1.0, 2.0)),
        (dirichlet(), D.Dirichlet(torch.ones(3))),
        (multivariate(), D.MultivariateNormal(torch.zeros(2), scale_tril=torch.tensor([[1.0, 0.0], [0.5, 2.0]]))),
        (bernoulli(), D.Bernoulli(torch.tensor([0.0, 1.0]))),
        (D.Bernoulli(torch.tensor([0.0, 1.0, 0.3])), D.Bernoulli(0.4)),
        (categorical(), D.Categorical(torch.tensor([0.5, 0.5, 0.0, 0.0]))),
        (one_hot(), D.OneHotCategorical(torch.ones(3))),
        (poisson(), D.Poisson(2.0)),
        (independent(), Independent(Normal(torch.zeros(3), torch.ones(3)), 1)),
    ]
    return (
        [kl_divergence(p, q) for p, q in pairs],
        slopes(pairs[0][0], kl_divergence(*pairs[0])),
        error(lambda: kl_divergence(laplace(), D.Dirichlet(torch.ones(3)))),
    )


def case_register_kl():
    class Own(Normal):
        pass

    @D.register_kl(Own, Normal)
    def ours(p, q):
        return p.loc * 0 + 42

    return (
        kl_divergence(Own(0.0, 1.0), Own(1.0, 2.0)),
        kl_divergence(Normal(0.0, 1.0), Own(1.0, 2.0)),
        Own(0.0, 1.0).expand((2,)).mean,
    )


def case_multivariate():
    precision = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    made = D.MultivariateNormal(torch.zeros(3, 2), precision_matrix=precision)
    x = values(4, 3, 2)
    return (
        made.covariance_matrix,
        made.scale_tril,
        made.precision_matrix,
        made.log_prob(x),
        made.entropy(),
        made.variance,
        error(lambda: D.MultivariateNormal(torch.zeros(2))),
        error(lambda: D.MultivariateNormal(torch.zeros(2), torch.ones(2))),
        error(lambda: D.MultivariateNormal(torch.zeros(2), -torch.eye(2))),
        error(lambda: D.MultivariateNormal(torch.tensor(0.0), torch.eye(2))),
    )


def case_support():
    return (
        D.Bernoulli(0.3).enumerate_support(),
        categorical().enumerate_support(),
        categorical().enumerate_support(expand=False),
        one_hot().enumerate_support(),
        error(lambda: Independent(bernoulli(), 1).enumerate_support()),
    )


def case_checks():
    return [
        error(f)
        for f in (
            lambda: Normal(0.0, -1.0),
            lambda: Normal(torch.tensor([0.0, float("nan")]), 1.0),
            lambda: Normal("a", 1.0),
            lambda: normal().log_prob(1.0),
            lambda: normal().log_prob(torch.zeros(2)),
            lambda: Normal(0.0, 1.0).log_prob(torch.tensor(float("nan"))),
            lambda: D.Uniform(1.0, 0.0),
            lambda: uniform().log_prob(torch.tensor([5.0, 5.0])),
            lambda: D.Bernoulli(),
            lambda: D.Bernoulli(probs=0.5, logits=0.0),
            lambda: D.Bernoulli(1.5),
            lambda: D.Bernoulli(0.5).log_prob(torch.tensor(0.5)),
            lambda: D.Categorical(torch.tensor(0.5)),
            lambda: D.Categorical(torch.tensor([-1.0, 2.0])),
            lambda: D.Categorical(torch.ones(3)).log_prob(torch.tensor(3)),
            lambda: D.Dirichlet(torch.tensor([1.0, -1.0])),
            lambda: D.Dirichlet(torch.tensor(1.0)),
            lambda: D.Dirichlet(torch.ones(3)).log_prob(torch.ones(3)),
            lambda: D.Gamma(1.0, 0.0),
            lambda: D.Gamma(1.0, 1.0).log_prob(-1.0),
            lambda: D.Beta(1.0, 1.0).log_prob(torch.tensor(1.5)),
            lambda: D.Poisson(1.0).log_prob(torch.tensor(0.5)),
            lambda: D.OneHotCategorical(torch.ones(3)).log_prob(torch.ones(3)),
            lambda: Independent(normal(), 2),
        )
    ] + [
        asked(lambda: D.Bernoulli(0.5).rsample()),
        asked(lambda: Normal(0.0, 1.0).enumerate_support()),
        Normal(0.0, -1.0, validate_args=False).log_prob(torch.tensor(1.0)),
        D.Uniform(0.0, 1.0, validate_args=False).log_prob(torch.tensor(2.0)),
        repr(constraints.simplex),
        repr(constraints.real_vector),
        repr(constraints.greater_than(2.0)),
    ]


def case_numbers_and_dtypes():
    torch.manual_seed(1)
    made = Normal(torch.zeros(2, dtype=torch.float64), 1)
    return (
        made.scale,
        made.rsample(),
        D.Gamma(2, 1).sample(),
        D.Beta(2, 3).sample((2,)),
        D.Categorical(torch.tensor([1, 1, 2])).probs,
        D.Normal(0.0, 1.0).sample((2, 3)),
        D.Bernoulli(torch.tensor([0.1, 0.9], dtype=torch.float64)).logits,
        D.OneHotCategoricalStraightThrough(torch.ones(1, 3)).rsample(),
    )


def case_vae():
    """A variational autoencoder's step, as it is written everywhere."""
    torch.manual_seed(0)
    encoder, decoder = torch.nn.Linear(6, 4), torch.nn.Linear(2, 6)
    x = (values(5, 6) > 0).float()
    mu, logvar = encoder(x).chunk(2, dim=-1)
    posterior = Independent(Normal(mu, torch.exp(0.5 * logvar)), 1)
    prior = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    z = posterior.rsample()
    likelihood = Independent(D.Bernoulli(logits=decoder(z)), 1)
    elbo = likelihood.log_prob(x) - kl_divergence(posterior, Independent(Normal(torch.zeros_like(mu), 1.0), 1))
    (-elbo.mean()).backward()
    return z, elbo, prior.log_prob(z), encoder.weight.grad, decoder.bias.grad


def case_transformed():
    torch.manual_seed(0)
    loc = torch.tensor([0.5, -1.0]).requires_grad_()
    made = [
        D.LogNormal(loc, torch.tensor([0.5, 2.0])),
        D.TransformedDistribution(Normal(loc, 1.0), [T.AffineTransform(1.0, -2.0), T.SigmoidTransform()]),
        D.TransformedDistribution(Normal(loc, 1.0), T.TanhTransform(cache_size=1)),
        D.TransformedDistribution(
            Independent(Normal(torch.zeros(3, 2), 1.0), 1), [T.AffineTransform(loc, torch.tensor([1.0, 2.0]))]
        ),
        D.TransformedDistribution(Normal(torch.zeros(3, 2), 1.0), [T.StickBreakingTransform()]),
        D.TransformedDistribution(
            D.Exponential(torch.ones(2)), [T.PowerTransform(2.0), T.AffineTransform(0.0, loc.detach().abs())]
        ),
        D.TransformedDistribution(Normal(torch.zeros(2), 1.0), [T.SoftplusTransform(), T.ExpTransform().inv]),
    ]
    found = []
    for d in made:
        x = d.rsample()
        lp = d.log_prob(x)
        many = d.sample((2,))
        found.append(
            (
                x,
                lp,
                many,
                d.batch_shape,
                d.event_shape,
                repr(d.support) if d is not made[4] else "",
                d.has_rsample,
                d.expand((4, *d.batch_shape)).log_prob(x),
            )
        )
    log_normal = made[0]
    log_normal.log_prob(torch.tensor([1.0, 2.0])).sum().backward()
    return (
        found,
        loc.grad,
        log_normal.mean,
        log_normal.mode,
        log_normal.variance,
        log_normal.entropy(),
        log_normal.cdf(torch.ones(2)),
        log_normal.icdf(torch.full((2,), 0.3)),
        made[1].cdf(torch.full((2,), 0.4)),
        made[1].icdf(torch.full((2,), 0.4)),
        repr(log_normal),
        repr(made[1]),
        repr(log_normal.expand((3, 2))),
        kl_divergence(log_normal, D.LogNormal(0.0, 1.0)),
        kl_divergence(made[2], D.TransformedDistribution(Normal(0.0, 2.0), T.TanhTransform())),
        repr(T.ComposeTransform([T.ExpTransform(), T.AffineTransform(0, 1)])),
        T.ExpTransform() == T.ExpTransform(),
        T.ExpTransform() == T.TanhTransform(),
        T.ExpTransform().inv.inv == T.ExpTransform(),
        repr(T.ExpTransform().inv),
        T.AffineTransform(0, 1) == T.AffineTransform(0.0, 1.0),
        T.IndependentTransform(T.ExpTransform(), 1).log_abs_det_jacobian(values(3, 2), values(3, 2)),
        T.SoftmaxTransform()(values(2, 3)),
        T.AbsTransform()(values(3)),
        error(lambda: log_normal.log_prob(-torch.ones(2))),
        error(lambda: D.LogNormal(0.0, -1.0)),
        error(lambda: D.TransformedDistribution(Normal(0.0, 1.0), "x")),
        error(lambda: T.ExpTransform(cache_size=2)),
    )


def case_mixtures():
    torch.manual_seed(1)
    logits, mean = values(2, 3).requires_grad_(), values(2, 3).requires_grad_()
    d = D.MixtureSameFamily(D.Categorical(logits=logits), Normal(mean, torch.ones(2, 3)))
    vector = D.MixtureSameFamily(D.Categorical(torch.ones(3)), Independent(Normal(values(3, 2), 0.5), 1))
    d.log_prob(torch.tensor([0.3, -2.0])).sum().backward()
    return (
        logits.grad,
        mean.grad,
        d.sample((4,)),
        d.mean,
        d.variance,
        d.cdf(torch.zeros(2)),
        repr(d),
        d.batch_shape,
        vector.sample((2,)),
        vector.log_prob(values(5, 2)),
        vector.mean,
        vector.variance,
        vector.expand((2,)).sample(),
        repr(d.support),
        error(
            lambda: D.MixtureSameFamily(
                D.Categorical(torch.ones(2)), D.Uniform(torch.zeros(2), torch.tensor([1.0, 2.0]))
            ).log_prob(torch.tensor([1.5]))
        ),
        error(lambda: D.MixtureSameFamily(Normal(0.0, 1.0), Normal(0.0, 1.0))),
        error(lambda: D.MixtureSameFamily(D.Categorical(torch.ones(3)), Normal(torch.zeros(2), 1.0))),
        error(lambda: D.MixtureSameFamily(D.Categorical(torch.ones(3)), 1)),
        error(lambda: D.MixtureSameFamily(D.Categorical(torch.ones(4, 3)), Normal(torch.zeros(2, 3), 1.0))),
    )


def case_kl_of_two_kinds():
    s = torch.tensor([0.3, 1.7])
    kinds = [
        D.Bernoulli(torch.tensor([0.2, 0.9])),
        D.Beta(s, s + 1),
        D.Exponential(s),
        D.Gamma(s + 1, s),
        D.Laplace(-s, s),
        Normal(s, s + 0.5),
        D.Poisson(s),
        D.Uniform(s / 4, s / 2),
        D.Uniform(-s, s),
        D.Uniform(torch.zeros(2), torch.ones(2)),
        D.LogNormal(s, s),
        D.Categorical(torch.ones(2, 3)),
    ]

    def divergence(p, q):
        try:
            return kl_divergence(p, q)
        except NotImplementedError:
            return None

    return [divergence(p, q) for p in kinds for q in kinds]
