"""Posteriors and priors, Gaussian and with flows."""

from functools import partial

import pytest
import torch

from flowvae.testing import posterior as posterior_conformance
from flowvae.testing import prior as prior_conformance
from flowvae.testing.properties import unsettled
from flowvae_components.flows.real_nvp import RealNVP
from flowvae_components.posteriors.flow import FlowPosterior
from flowvae_components.posteriors.gaussian import GaussianPosterior
from flowvae_components.priors.flow import FlowPrior
from flowvae_components.priors.standard_normal import StandardNormalPrior

small_flow = partial(RealNVP, hidden=16)
POSTERIORS = {"gaussian": GaussianPosterior, "flow": partial(FlowPosterior, flow=small_flow)}
PRIORS = {"standard_normal": StandardNormalPrior, "flow": partial(FlowPrior, flow=small_flow)}


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("make", POSTERIORS.values(), ids=POSTERIORS)
@pytest.mark.parametrize("check", posterior_conformance.CHECKS, ids=lambda check: check.__name__)
def test_posteriors_do_what_a_posterior_must(make, check):
    check(make)


@pytest.mark.parametrize("make", PRIORS.values(), ids=PRIORS)
@pytest.mark.parametrize("check", prior_conformance.CHECKS, ids=lambda check: check.__name__)
def test_priors_do_what_a_prior_must(make, check):
    check(make)


def test_flow_posterior_with_a_new_flow_costs_what_its_gaussian_costs():
    features, prior = torch.randn(1, 6).double(), StandardNormalPrior(4).double()()
    flow = FlowPosterior(6, 4, flow=small_flow).double()
    gaussian = GaussianPosterior(6, 4).double()
    gaussian.moments.load_state_dict(flow.moments.state_dict())
    expected = torch.distributions.kl_divergence(gaussian(features), prior).item()
    latent, log_prob = flow(features.expand(100_000, -1)).rsample_and_log_prob()
    estimates = log_prob - prior.log_prob(latent)
    error = 3 * estimates.std().item() / 100_000**0.5
    assert abs(estimates.mean().item() - expected) < error


def test_posterior_flow_without_context_is_a_prior_flow():
    """q = f(u) under N(0, 1) costs, sample by sample, what u costs under the prior that f defines."""
    flow = unsettled(RealNVP(4, 0, hidden=16), 0.3).double()
    start, prior = torch.randn(50, 4).double(), StandardNormalPrior(4).double()()
    latent, log_abs_det = flow(start)
    learned = FlowPrior(4, flow=lambda features, context: flow).double()()
    as_posterior = -log_abs_det - prior.log_prob(latent)
    as_prior = -learned.log_prob(start)
    assert torch.allclose(as_posterior, as_prior, atol=1e-10)


def test_prior_flow_leads_its_samples_back_to_the_noise_they_came_from():
    prior = unsettled(FlowPrior(8, flow=small_flow))
    distribution = prior()
    torch.manual_seed(3)
    latent = distribution.sample(torch.Size((500,)))
    torch.manual_seed(3)
    noise = distribution.base.sample(torch.Size((500,)))
    assert torch.allclose(prior.flow(latent)[0], noise, atol=1e-5)


def test_standard_normal_of_the_origin_is_minus_0_918939_a_dimension():
    log_prob = StandardNormalPrior(10)().log_prob(torch.zeros(10))
    assert log_prob.item() == pytest.approx(-9.18939, abs=1e-4)


def test_gaussian_posterior_is_deterministic_where_its_scale_is_tiny():
    posterior = GaussianPosterior(6, 4, min_scale=1e-6)
    with torch.no_grad():
        posterior.moments.linear.bias[4:] = -100.0
        posterior.moments.linear.weight[4:] = 0.0
    distribution = posterior(torch.randn(5, 6))
    assert torch.allclose(distribution.rsample(), distribution.mode, atol=1e-4)


def test_priors_have_no_state_but_that_of_their_flow():
    assert not StandardNormalPrior(4).state_dict()
    assert all(name.startswith("flow.") for name in FlowPrior(4, flow=small_flow).state_dict())


def test_both_posteriors_share_the_names_of_their_moments():
    shared = set(GaussianPosterior(6, 4).state_dict())
    assert shared <= set(FlowPosterior(6, 4, flow=small_flow).state_dict())
