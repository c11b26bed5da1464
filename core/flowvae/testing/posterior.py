"""What every posterior must do."""

from typing import cast

import torch
from torch import Tensor, nn

from flowvae.contracts import BuiltPosterior, LatentDistribution, Posterior
from flowvae.testing.device_reads import NoDeviceReads
from flowvae.testing.latent_probes import (
    assert_gradients_reach_all,
    assert_state_round_trip,
    noise,
    unsettled,
)

FEATURES, LATENT = 6, 4


def module_of(make: Posterior) -> nn.Module:
    """A posterior that has left its start."""
    return unsettled(cast("nn.Module", make(FEATURES, LATENT)))


def heard(module: nn.Module, features: Tensor) -> LatentDistribution:
    """The distribution for these features."""
    return cast("BuiltPosterior", module)(features)


def shapes_are_those_of_the_contract(make: Posterior) -> None:
    """Samples and the mode are (b, latent_dim), densities (b,)."""
    distribution = heard(module_of(make), noise(5, FEATURES))
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
    distribution = heard(module_of(make), noise(64, FEATURES))
    latent, log_prob = distribution.rsample_and_log_prob()
    difference = (distribution.log_prob(latent) - log_prob).abs().max()
    assert difference < 1e-2, (
        f"log_prob differs by {difference:.1e} from the density that came with the sample; expected 0; usually the sign "
        "of log_abs_det: a map that spreads samples lowers their density"
    )


def one_seed_gives_one_sample(make: Posterior) -> None:
    """All randomness comes from torch's generator, and the mode has none."""
    module, features = module_of(make), noise(5, FEATURES)
    samples = []
    with torch.random.fork_rng(devices=[]):
        for _ in range(2):
            torch.manual_seed(7)
            samples.append(heard(module, features).rsample_and_log_prob()[0])
    assert torch.equal(*samples), (
        "one seed gives two samples; expected one; usually a generator of the component's own"
    )
    assert torch.equal(heard(module, features).mode, heard(module, features).mode), (
        "two calls of mode differ; expected the same bits; usually dropout or a sample in place of the mode"
    )


def items_do_not_mix(make: Posterior) -> None:
    """One sound's posterior does not see the other sounds, in training as well."""
    module, features = module_of(make).train(), noise(5, FEATURES)
    other = features.clone()
    other[0] += 1
    assert torch.allclose(heard(module, features).mode[1:], heard(module, other).mode[1:], atol=1e-6), (
        "a change of one item moves the modes of others; expected none; usually batch statistics"
    )


def extremes_stay_finite(make: Posterior) -> None:
    """Features of silence and of a feature blown up give finite samples and densities."""
    module = module_of(make)
    for scale in (0.0, 1.0, 1e3):
        latent, log_prob = heard(module, scale * noise(5, FEATURES)).rsample_and_log_prob()
        for what, numbers in (("sample", latent), ("density", log_prob)):
            assert numbers.isfinite().all(), (
                f"features of size {scale} give a {what} that is not finite; usually an exponential without a clamp, "
                "or a scale that reaches 0"
            )


def gradients_reach_every_parameter(make: Posterior) -> None:
    """The sample and its density lead a finite gradient to each parameter and to the features."""
    module, features = module_of(make), noise(16, FEATURES).requires_grad_()
    latent, log_prob = heard(module, features).rsample_and_log_prob()
    assert_gradients_reach_all(module, (latent.square().sum(-1) + log_prob).mean())
    assert features.grad is not None, (
        "no gradient reaches the features; expected one: the encoder learns from it"
    )
    assert features.grad.abs().sum() > 0, (
        "the gradient on the features is 0 throughout; usually sample() in place of rsample()"
    )


def state_survives_a_round_trip(make: Posterior) -> None:
    """A second instance with the same state_dict gives the same modes."""
    features = noise(5, FEATURES)
    assert_state_round_trip(
        lambda: cast("nn.Module", make(FEATURES, LATENT)), lambda module: heard(module, features).mode
    )


def half_precision_stays_outside(make: Posterior) -> None:
    """Under autocast, and with features in half precision, densities are in single precision."""
    module = module_of(make)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        latent, log_prob = heard(module, noise(5, FEATURES).bfloat16()).rsample_and_log_prob()
    assert latent.dtype == log_prob.dtype == torch.float32, (
        f"under autocast sample and density are {latent.dtype} and {log_prob.dtype}; expected float32: turn autocast off inside"
    )


def no_value_is_read_back(make: Posterior) -> None:
    """A sample is drawn without waiting for the device."""
    module, features = module_of(make), noise(5, FEATURES)
    with NoDeviceReads():
        heard(module, features).rsample_and_log_prob()


CHECKS = (
    shapes_are_those_of_the_contract,
    both_densities_agree,
    one_seed_gives_one_sample,
    items_do_not_mix,
    extremes_stay_finite,
    gradients_reach_every_parameter,
    state_survives_a_round_trip,
    half_precision_stays_outside,
    no_value_is_read_back,
)
