"""What every regularizer must do."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from flowvae.contracts import BuiltRegularizer, Regularizer
from flowvae.testing import checks_in
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.properties import noise
from flowvae.testing.resumption import goes_on_to_the_bit

N_STEPS, N_ITEMS, LATENT = 100, 256, 4
TAKEN = ("loss", "beta", "lr", "adversarial", "feature_matching", "pull_ratio")
"""What figures of a step are called that come from elsewhere."""


class NormalVector(Independent[Normal]):
    """A distribution as the contract wants it, with nothing of a component in it."""

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__(Normal(mean, scale, validate_args=False), 1, validate_args=False)

    def rsample_and_log_prob(self) -> tuple[Tensor, Tensor]:
        """The same noise at every call."""
        sample = self.base_dist.loc + self.base_dist.scale * noise(*self.base_dist.loc.shape, seed=5)
        return sample, self.log_prob(sample)  # type: ignore[no-untyped-call]  # torch leaves it untyped


def _price(make: Regularizer, mean: Tensor, scale: Tensor) -> Tensor:
    """What a normal posterior costs under a standard normal prior."""
    posterior = NormalVector(mean, scale)
    prior = NormalVector(torch.zeros(LATENT), torch.ones(LATENT))
    return make(N_STEPS)(posterior, prior, *posterior.rsample_and_log_prob())


def _costs_nothing(make: Regularizer) -> bool:
    """Whether its class says that there is nothing to tell."""
    return getattr(make(N_STEPS), "figure", "kl") == ""


def the_price_is_a_scalar(make: Regularizer) -> None:
    """One finite number for a batch."""
    value = _price(make, noise(N_ITEMS, LATENT), torch.full((N_ITEMS, LATENT), 0.5))
    assert value.shape == (), (
        f"the price has the shape {tuple(value.shape)}; expected a scalar: the mean over the batch"
    )
    assert value.isfinite(), f"the price is {value}; expected a finite number; usually a scale that reaches 0"


def farther_costs_more(make: Regularizer) -> None:
    """A posterior far from the prior costs more than one that is near; where nothing is told, it costs nothing."""
    if _costs_nothing(make):
        price = _price(make, 5 * noise(N_ITEMS, LATENT), torch.full((N_ITEMS, LATENT), 0.5))
        assert price == 0, (
            f'the price is {price}, and its class says figure = "", so that nobody is told; give it a name'
        )
        return
    scale = torch.full((N_ITEMS, LATENT), 0.5)
    near, far = (
        _price(make, 0.5 * noise(N_ITEMS, LATENT), scale),
        _price(make, 5 * noise(N_ITEMS, LATENT), scale),
    )
    assert far > near, (
        f"far from the prior costs {far:.3f}, near {near:.3f}; expected the other order; usually a sign"
    )


def the_batch_is_averaged(make: Regularizer) -> None:
    """A batch twice over costs the same: the price is that of a sound, whatever the batch size."""
    if not getattr(make(N_STEPS), "needs_density", True):
        _the_population_counts(make)
        return
    mean, scale = noise(N_ITEMS, LATENT), torch.full((N_ITEMS, LATENT), 0.5)
    posterior, prior = NormalVector(mean, scale), NormalVector(torch.zeros(LATENT), torch.ones(LATENT))
    latent, log_prob = posterior.rsample_and_log_prob()
    once = make(N_STEPS)(posterior, prior, latent, log_prob)
    double = NormalVector(mean.repeat(2, 1), scale.repeat(2, 1))
    twice = make(N_STEPS)(double, prior, latent.repeat(2, 1), log_prob.repeat(2))
    assert torch.isclose(once, twice, rtol=1e-4), (
        f"a batch costs {once:.4f}, the same batch twice over {twice:.4f}; expected the same; usually a sum over the batch"
    )


def _the_population_counts(make: Regularizer) -> None:
    """What compares samples has no price of a sound, and none that is the same for the same batch twice."""
    scale = torch.full((2 * N_ITEMS, LATENT), 0.5)
    mean = 2 + noise(2 * N_ITEMS, LATENT)
    half, whole = _price(make, mean[:N_ITEMS], scale[:N_ITEMS]), _price(make, mean, scale)
    assert torch.isclose(half, whole, rtol=0.2), (
        f"a batch costs {half:.4f}, and twice as large a one of the same distribution {whole:.4f}; expected nearly the same; "
        "usually a sum over the batch"
    )


def latents_are_enough_where_it_says_so(make: Regularizer) -> None:
    """With needs_density = False, densities that are NaN change nothing."""
    regularizer = make(N_STEPS)
    if getattr(regularizer, "needs_density", True):
        return

    class WithoutDensity(NormalVector):
        def log_prob(self, value: Tensor) -> Tensor:
            return torch.full_like(value[..., 0], torch.nan)

    posterior = WithoutDensity(noise(N_ITEMS, LATENT), torch.full((N_ITEMS, LATENT), 0.5))
    prior = WithoutDensity(torch.zeros(LATENT), torch.ones(LATENT))
    price = regularizer(posterior, prior, *posterior.rsample_and_log_prob())
    assert price.isfinite(), (
        f"without densities the price is {price}, and its class says needs_density = False; expected a finite number from the "
        "latent vectors alone"
    )


def the_figure_has_a_name_of_its_own(make: Regularizer) -> None:
    """What it is called among the figures of a step is a plain word that no other figure has."""
    name = getattr(make(N_STEPS), "figure", "kl")
    assert name == "" or (name.isidentifier() and name not in TAKEN), (
        f"figure is {name!r}; expected one word that is none of {', '.join(TAKEN)}"
    )


def the_gradient_pulls_towards_the_prior(make: Regularizer) -> None:
    """The gradient on a mean far from the prior is finite and points away from it."""
    if _costs_nothing(make):
        return
    mean = torch.full((N_ITEMS, LATENT), 5.0, requires_grad=True)
    _price(make, mean, torch.full((N_ITEMS, LATENT), 0.5)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert mean.grad is not None, (
        "no gradient reaches the mean of the posterior; expected one; usually a detach()"
    )
    assert mean.grad.isfinite().all(), (
        "the gradient on the mean is not finite; usually a scale that reaches 0"
    )
    assert mean.grad.sum() > 0, (
        "the gradient does not pull a mean of 5 towards 0; usually a detach() or a sign"
    )


def beta_is_a_weight_at_every_step(make: Regularizer) -> None:
    """The weight beta is finite and not negative at every step, the same at each call, and a float."""
    regularizer = make(N_STEPS)
    weights = [regularizer.beta(step) for step in range(N_STEPS)]
    assert all(math.isfinite(weight) and weight >= 0 for weight in weights), (
        f"beta takes the values {sorted(set(weights))[:3]} ..."
    )
    assert weights == [regularizer.beta(step) for step in range(N_STEPS)], (
        "beta of a step changes from call to call; expected a function of the step alone, or a resumed run would differ"
    )
    assert isinstance(weights[-1], float), (
        f"beta is a {type(weights[-1]).__name__}; expected a float: a schedule needs no tensor"
    )


def what_it_keeps_survives_a_checkpoint(make: Regularizer) -> None:
    """A resumed run pays the price that the uninterrupted one would have paid."""

    def use(regularizer: BuiltRegularizer, turn: int) -> Tensor:
        posterior = NormalVector(noise(N_ITEMS, LATENT, seed=turn), torch.full((N_ITEMS, LATENT), 0.5))
        prior = NormalVector(torch.zeros(LATENT), torch.ones(LATENT))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(turn)  # as the engine does at each step: it may draw from the prior
            return regularizer(posterior, prior, *posterior.rsample_and_log_prob())

    goes_on_to_the_bit(lambda: make(N_STEPS), use)


def no_value_is_read_back(make: Regularizer) -> None:
    """The price is computed without waiting for the device."""
    mean, scale = noise(N_ITEMS, LATENT), torch.full((N_ITEMS, LATENT), 0.5)
    with NoDeviceReads():
        _price(make, mean, scale)


CHECKS = checks_in(globals())
