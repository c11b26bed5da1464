"""The KL: nats a sound, closed where torch knows it, estimated and never clamped elsewhere."""

from functools import partial

import pytest
import torch

from flowvae.testing import regularizer as conformance
from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.flows.real_nvp import RealNVP
from flowvae_components.priors.flow import FlowPrior
from flowvae_components.priors.standard_normal import StandardNormalPrior
from flowvae_components.regularizers.kl import KL


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def priced(kl, posterior, prior):
    return kl(posterior, prior, *posterior.rsample_and_log_prob())


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_kl_does_what_a_regularizer_must(check):
    check(KL)


def test_closed_form_is_the_mean_of_the_estimates():
    mean, scale = torch.randn(1, 3).double(), torch.rand(1, 3).double() + 0.2
    prior = StandardNormalPrior(3).double()()
    closed = priced(KL(10), DiagonalNormal(mean, scale), prior).item()
    many = DiagonalNormal(mean.expand(100_000, -1), scale.expand(100_000, -1))
    latent, log_prob = many.rsample_and_log_prob()
    estimates = log_prob - prior.log_prob(latent)
    assert abs(closed - estimates.mean().item()) < 3 * estimates.std().item() / 100_000**0.5


def test_closed_form_is_used_where_there_is_one():
    posterior, prior = DiagonalNormal(torch.ones(4, 3), torch.ones(4, 3)), StandardNormalPrior(3)()
    assert priced(KL(10), posterior, prior).item() == pytest.approx(
        1.5, abs=1e-6
    )  # no noise of a sample in it


def test_estimate_is_taken_at_the_vector_that_is_decoded():
    prior = FlowPrior(3, flow=partial(RealNVP, hidden=8))()
    posterior = DiagonalNormal(torch.zeros(4, 3), torch.full((4, 3), 0.5))
    latent, log_prob = posterior.rsample_and_log_prob()
    expected = (log_prob - prior.log_prob(latent)).mean()
    assert torch.equal(KL(10)(posterior, prior, latent, log_prob), expected)


def test_estimates_below_zero_count():
    prior = FlowPrior(3, flow=partial(RealNVP, hidden=8))()  # the identity: the same as the posterior below
    posterior = DiagonalNormal(torch.zeros(4, 3), torch.ones(4, 3))
    latent = torch.zeros(4, 3)
    price = KL(10)(posterior, prior, latent, posterior.log_prob(latent) - 1)
    assert price.item() == pytest.approx(-1.0, abs=1e-5)


def test_free_bits_are_a_floor_on_the_mean_over_the_batch():
    prior = StandardNormalPrior(1)()
    mean = torch.tensor([[0.0], [2.0]], requires_grad=True)  # 0 and 2 nats, 1 in the mean
    scale = torch.ones(2, 1)
    above = priced(KL(10, free_bits=0.5), DiagonalNormal(mean, scale), prior)
    assert above.item() == pytest.approx(1.0, abs=1e-6)
    below = priced(KL(10, free_bits=3.0), DiagonalNormal(mean, scale), prior)
    assert below.item() == 3.0
    assert torch.autograd.grad(below, mean)[0].abs().sum() == 0


def test_beta_rises_on_a_line_and_stays():
    kl = KL(1000, beta=0.5, warmup=0.2)
    assert kl.beta(0) == pytest.approx(0.5 / 200)
    assert kl.beta(99) == pytest.approx(0.25)
    assert kl.beta(199) == kl.beta(200) == kl.beta(999) == 0.5


def test_beta_is_whole_from_the_first_step_without_warmup():
    assert KL(1000, beta=0.5, warmup=0.0).beta(0) == 0.5


@pytest.mark.parametrize("wrong", [{"beta": -1.0}, {"warmup": 1.5}, {"free_bits": -0.1}], ids=str)
def test_values_without_meaning_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        KL(10, **wrong)
