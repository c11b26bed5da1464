"""What every posterior must do."""

from typing import cast

import torch
from torch import Tensor, nn

from flowvae.contracts import BuiltPosterior, Posterior
from flowvae.testing import checks_in, properties
from flowvae.testing.properties import noise, unsettled

FEATURES, LATENT = 6, 4
SAYS_NONE = (
    "its class says has_density = False, but a density is there; expected NaN throughout, "
    "so that nothing is trained by a number that means nothing"
)
"""What is said of a density that should not be."""


def _posterior(make: Posterior) -> BuiltPosterior:
    """A posterior that has left its start."""
    return cast("BuiltPosterior", unsettled(cast("nn.Module", make(FEATURES, LATENT))))


def has_density(built: object) -> bool:
    """Whether what a posterior or prior gives has a density, as its class says."""
    return getattr(built, "has_density", True) is not False


class _Numbers(nn.Module):
    """A posterior that has left its start as a module of one output: mode, sample and, if it has one, density of each item."""

    def __init__(self, make: Posterior) -> None:
        super().__init__()
        self.posterior = _posterior(make)

    def forward(self, features: Tensor) -> Tensor:
        """All in one tensor, (b, 2 * latent_dim + 1), or (b, 2 * latent_dim)."""
        distribution = self.posterior(features)
        latent, log_prob = distribution.rsample_and_log_prob()
        density = [log_prob[:, None]] if has_density(self.posterior) else []
        return torch.cat((distribution.mode, latent, *density), dim=-1)


def shapes_are_those_of_the_contract(make: Posterior) -> None:
    """Samples and the mode are (b, latent_dim), densities (b,)."""
    distribution = _posterior(make)(noise(5, FEATURES))
    latent, log_prob = distribution.rsample_and_log_prob()
    more = distribution.sample(torch.Size((2,)))
    seen = [
        tuple(tensor.shape)
        for tensor in (distribution.mode, latent, log_prob, more, distribution.log_prob(more))
    ]
    expected = [(5, LATENT), (5, LATENT), (5,), (2, 5, LATENT), (2, 5)]
    assert seen == expected, (
        f"mode, sample, density, sample((2,)) and its density have the shapes {seen}; expected {expected}; "
        "usually an event axis that torch takes for a batch axis (Independent(..., 1))"
    )


def both_densities_agree(make: Posterior) -> None:
    """log_prob at a sample is what rsample_and_log_prob gave with it."""
    posterior = _posterior(make)
    distribution = posterior(noise(64, FEATURES))
    latent, log_prob = distribution.rsample_and_log_prob()
    if not has_density(posterior):
        return
    difference = (distribution.log_prob(latent) - log_prob).abs().max()
    assert difference < 1e-2, (
        f"log_prob differs by {difference:.1e} from the density that came with the sample; expected 0; usually the sign "
        "of log_abs_det: a map that spreads samples lowers their density"
    )


def a_density_that_is_not_there_is_nan(make: Posterior) -> None:
    """A posterior whose class says has_density = False gives NaN for a density, whoever asks."""
    posterior = _posterior(make)
    if has_density(posterior):
        return
    distribution = posterior(noise(5, FEATURES))
    latent, log_prob = distribution.rsample_and_log_prob()
    assert log_prob.isnan().all(), f"{SAYS_NONE} (rsample_and_log_prob gives {log_prob})"
    assert distribution.log_prob(latent).isnan().all(), f"{SAYS_NONE} (log_prob)"


def extremes_stay_finite(make: Posterior) -> None:
    """Features of silence and of a feature blown up give finite samples and densities."""
    posterior = _posterior(make)
    for scale in (0.0, 1.0, 1e3):
        latent, log_prob = posterior(scale * noise(5, FEATURES)).rsample_and_log_prob()
        seen = {"sample": latent} | ({"density": log_prob} if has_density(posterior) else {})
        for what, numbers in seen.items():
            assert numbers.isfinite().all(), (
                f"features of size {scale} give a {what} that is not finite; usually an exponential without a clamp, "
                "or a scale that reaches 0"
            )


def half_precision_stays_outside(make: Posterior) -> None:
    """Under autocast, and with features in half precision, densities are in single precision."""
    posterior = _posterior(make)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        latent, log_prob = posterior(noise(5, FEATURES).bfloat16()).rsample_and_log_prob()
    assert latent.dtype == log_prob.dtype == torch.float32, (
        f"under autocast sample and density are {latent.dtype} and {log_prob.dtype}; expected float32: turn autocast off inside"
    )


CHECKS = (
    *checks_in(globals()),
    *properties.of_modules(_Numbers, 3, FEATURES, which=properties.OF_DENSITIES),
)
