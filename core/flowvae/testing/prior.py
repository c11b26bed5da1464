"""What every prior must do."""

from typing import cast

import torch
from torch import nn

from flowvae.contracts import BuiltPrior, LatentDistribution, Prior
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.latent_probes import (
    assert_gradients_reach_all,
    assert_state_round_trip,
    noise,
    unsettled,
)

LATENT = 4


def module_of(make: Prior, latent_dim: int = LATENT) -> nn.Module:
    """A prior that has left its start."""
    return unsettled(cast("nn.Module", make(latent_dim)))


def believed(module: nn.Module) -> LatentDistribution:
    """The distribution."""
    return cast("BuiltPrior", module)()


def shapes_are_those_of_the_contract(make: Prior) -> None:
    """Samples are (*sample, latent_dim), the mode (latent_dim,), densities have no axis of their own."""
    prior = believed(module_of(make))
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
    prior = believed(module_of(make))
    latent, log_prob = prior.rsample_and_log_prob()
    difference = (prior.log_prob(latent) - log_prob).abs()
    assert difference < 1e-3, (
        f"log_prob differs by {difference:.1e} from the density that came with the sample; expected 0; usually the sign of log_abs_det"
    )


def the_density_integrates_to_one(make: Prior) -> None:
    """Over a square of side 20, the density of two dimensions sums to 1 within 0.02."""
    line = torch.linspace(-10, 10, 201)
    with torch.no_grad():
        density = believed(module_of(make, 2)).log_prob(torch.cartesian_prod(line, line)).exp()
    total = float(density.sum()) * 0.1**2
    assert abs(total - 1) < 0.02, (
        f"the density integrates to {total:.3f}; expected 1; usually a normal's constant or a log_abs_det is left out"
    )


def one_seed_gives_one_sample(make: Prior) -> None:
    """All randomness comes from torch's generator."""
    prior, samples = believed(module_of(make)), []
    with torch.random.fork_rng(devices=[]):
        for _ in range(2):
            torch.manual_seed(7)
            samples.append(prior.sample(torch.Size((3,))))
    assert torch.equal(*samples), (
        "one seed gives two samples; expected one; usually a generator of the component's own"
    )


def gradients_reach_every_parameter(make: Prior) -> None:
    """The density leads a finite gradient to each parameter and to the latent vectors."""
    module, latent = module_of(make), noise(16, LATENT).requires_grad_()
    scalar = -believed(module).log_prob(latent).mean()
    assert_gradients_reach_all(module, scalar)
    assert latent.grad is not None, (
        "no gradient reaches the latent vectors; expected one: the encoder learns from it"
    )
    assert latent.grad.isfinite().all(), (
        "the gradient on the latent vectors is not finite; usually a division by a scale"
    )


def state_survives_a_round_trip(make: Prior) -> None:
    """A second instance with the same state_dict gives the same densities."""
    latent = noise(5, LATENT)
    assert_state_round_trip(
        lambda: cast("nn.Module", make(LATENT)), lambda module: believed(module).log_prob(latent)
    )


def it_moves_with_its_module(make: Prior) -> None:
    """A prior that is moved draws where it is: seen here by its precision, which moves as the device does."""
    sample = believed(module_of(make).double()).sample(torch.Size((2,)))
    assert sample.dtype == torch.float64, (
        f"after .double() samples are {sample.dtype}; expected float64; usually a tensor that is no buffer, which would also "
        "stay on the CPU when the module goes to a GPU"
    )


def no_value_is_read_back(make: Prior) -> None:
    """Densities and samples do not wait for the device."""
    module, latent = module_of(make), noise(5, LATENT)
    with NoDeviceReads():
        believed(module).log_prob(latent)
        believed(module).sample(torch.Size((2,)))


CHECKS = (
    shapes_are_those_of_the_contract,
    both_densities_agree,
    the_density_integrates_to_one,
    one_seed_gives_one_sample,
    gradients_reach_every_parameter,
    state_survives_a_round_trip,
    it_moves_with_its_module,
    no_value_is_read_back,
)
