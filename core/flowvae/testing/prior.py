"""What every prior must do."""

from typing import cast

import torch
from torch import Tensor, nn

from flowvae.contracts import BuiltPrior, LatentDistribution, Prior
from flowvae.testing import checks_in, properties
from flowvae.testing.properties import unsettled

LATENT = 4


def _module(make: Prior, latent_dim: int = LATENT) -> nn.Module:
    """A prior that has left its start."""
    return unsettled(cast("nn.Module", make(latent_dim)))


def _prior(make: Prior, latent_dim: int = LATENT) -> LatentDistribution:
    """Its distribution."""
    return cast("BuiltPrior", _module(make, latent_dim))()


class _Numbers(nn.Module):
    """A prior that has left its start as a module: to each latent vector its density, beside a sample."""

    def __init__(self, make: Prior) -> None:
        super().__init__()
        self.prior = cast("BuiltPrior", _module(make))

    def forward(self, latent: Tensor) -> Tensor:
        """Both in one tensor, (b, 1 + latent_dim)."""
        distribution = self.prior()
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
    prior = _prior(make)
    latent, log_prob = prior.rsample_and_log_prob()
    difference = (prior.log_prob(latent) - log_prob).abs()
    assert difference < 1e-3, (
        f"log_prob differs by {difference:.1e} from the density that came with the sample; expected 0; usually the sign of log_abs_det"
    )


def the_density_integrates_to_one(make: Prior) -> None:
    """Over a square of side 20, the density of two dimensions sums to 1 within 0.02."""
    line = torch.linspace(-10, 10, 201)
    with torch.no_grad():
        density = _prior(make, 2).log_prob(torch.cartesian_prod(line, line)).exp()
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


CHECKS = (
    *checks_in(globals()),
    *properties.of_modules(_Numbers, 3, LATENT, which=properties.OF_DENSITIES),
)
