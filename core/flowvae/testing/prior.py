"""What every prior must do."""

import copy
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import BuiltPrior, LatentDistribution, Prior
from flowvae.testing import checks_in, properties
from flowvae.testing.posterior import SAYS_NONE, has_density
from flowvae.testing.properties import unsettled
from flowvae.testing.regularizer import NormalVector

LATENT, CHANNELS, N_SAMPLES = 4, 2, 64


def stand_in(latent_dim: int) -> Callable[[Tensor], LatentDistribution]:
    """A model's `encode`, without a model: the means of as many stretches of a sound as there are dimensions."""

    def encode(audio: Tensor) -> LatentDistribution:
        mean = functional.adaptive_avg_pool1d(audio.mean(1), latent_dim)
        return NormalVector(10 * mean, torch.full_like(mean, 0.5))

    return encode


def _module(make: Prior, latent_dim: int = LATENT) -> nn.Module:
    """A prior that has left its start."""
    return unsettled(cast("nn.Module", make(latent_dim, stand_in(latent_dim), CHANNELS, N_SAMPLES)))


def _prior(make: Prior) -> LatentDistribution:
    """Its distribution."""
    return cast("BuiltPrior", _module(make))()


class _Numbers(nn.Module):
    """A prior that has left its start as a module: to each latent vector its density, beside a sample.

    Where there is no density, the latent vector itself stands in its place, and the samples come with their gradient.
    """

    def __init__(self, make: Prior) -> None:
        super().__init__()
        self.prior = cast("BuiltPrior", _module(make))

    def forward(self, latent: Tensor) -> Tensor:
        """Both in one tensor, (b, 1 + latent_dim), or (b, 2 * latent_dim)."""
        distribution = self.prior()
        if not has_density(self.prior):
            samples = [distribution.rsample_and_log_prob()[0] for _ in latent]
            return torch.cat((latent, torch.stack(samples)), dim=-1)
        log_prob = distribution.log_prob(latent)[:, None]
        return torch.cat((log_prob, distribution.sample(latent.shape[:1])), dim=-1)


def shapes_are_those_of_the_contract(make: Prior) -> None:
    """Samples are (*sample, latent_dim), the mode (latent_dim,), densities have no axis of their own."""
    prior = _prior(make)
    latent, log_prob = prior.rsample_and_log_prob()
    more = prior.sample(torch.Size((5,)))
    seen = [tuple(tensor.shape) for tensor in (prior.mode, latent, log_prob, more, prior.log_prob(more))]
    expected = [(LATENT,), (LATENT,), (), (5, LATENT), (5,)]
    assert seen == expected, (
        f"mode, sample, density, sample((5,)) and its density have the shapes {seen}; expected {expected}; "
        "the batch shape of a prior is ()"
    )


def both_densities_agree(make: Prior) -> None:
    """log_prob at a sample is what rsample_and_log_prob gave with it."""
    built = cast("BuiltPrior", _module(make))
    if not has_density(built):
        return
    prior = built()
    latent, log_prob = prior.rsample_and_log_prob()
    difference = (prior.log_prob(latent) - log_prob).abs()
    assert difference < 1e-3, (
        f"log_prob differs by {difference:.1e} from the density that came with the sample; expected 0; usually the sign of log_abs_det"
    )


def a_density_that_is_not_there_is_nan(make: Prior) -> None:
    """A prior whose class says has_density = False gives NaN for a density, whoever asks."""
    built = cast("BuiltPrior", _module(make))
    if has_density(built):
        return
    latent, log_prob = built().rsample_and_log_prob()
    assert log_prob.isnan(), f"{SAYS_NONE} (rsample_and_log_prob gives {log_prob})"
    assert built().log_prob(latent).isnan(), f"{SAYS_NONE} (log_prob)"


def the_density_integrates_to_one(make: Prior) -> None:
    """Over a square of side 20, the density of two dimensions sums to 1 within 0.02."""
    built = cast("BuiltPrior", _module(make, 2))
    if not has_density(built):
        return
    line = torch.linspace(-10, 10, 201)
    with torch.no_grad():
        density = built().log_prob(torch.cartesian_prod(line, line)).exp()
    total = float(density.sum()) * 0.1**2
    assert abs(total - 1) < 0.02, (
        f"the density integrates to {total:.3f}; expected 1; usually a normal's constant or a log_abs_det is left out"
    )


def it_moves_with_its_module(make: Prior) -> None:
    """A prior that is moved draws where it is: seen here by its precision, which moves as the device does."""
    sample = cast("BuiltPrior", _module(make).double())().sample(torch.Size((2,)))
    assert sample.dtype == torch.float64, (
        f"after .double() samples are {sample.dtype}; expected float64; usually a tensor that is no buffer, which would also "
        "stay on the CPU when the module goes to a GPU"
    )


def the_encoder_is_not_its_own(make: Prior) -> None:
    """What belongs to the model is neither registered in the prior nor kept with its state, where it would be saved twice."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.of_the_model = nn.Parameter(torch.ones(()))
            self.prior = make(LATENT, self.encode, CHANNELS, N_SAMPLES)

        def encode(self, audio: Tensor) -> LatentDistribution:
            return stand_in(LATENT)(self.of_the_model * audio)

    model = Model()
    of_the_prior = cast("nn.Module", model.prior).state_dict()
    assert not [name for name in of_the_prior if name.rpartition(".")[2] == "of_the_model"], (
        f"its state holds {', '.join(of_the_prior)}, and so what the model keeps already; hold `encode` as it comes, which is "
        "no module"
    )
    twin = copy.deepcopy(model)
    with torch.no_grad():
        model.of_the_model.fill_(torch.nan)
    assert twin.prior().mode.isfinite().all(), (
        "a copy of the model has a prior that still encodes with the original; hold `encode` as it comes: a copy of a method "
        "belongs to the copy"
    )


CHECKS = (
    *checks_in(globals()),
    *properties.of_modules(_Numbers, 3, LATENT, which=properties.OF_DENSITIES),
)
