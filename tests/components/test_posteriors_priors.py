"""Posteriors and priors, Gaussian and with flows."""

import math
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
from flowvae_components.priors.full_gaussian import FullGaussianPrior
from flowvae_components.priors.gaussian_mixture import GaussianMixturePrior
from flowvae_components.priors.standard_normal import StandardNormalPrior
from short_runs import training_of

small_flow = partial(RealNVP, hidden=16)
POSTERIORS = {"gaussian": GaussianPosterior, "flow": partial(FlowPosterior, flow=small_flow)}
PRIORS = {
    "standard_normal": StandardNormalPrior,
    "flow": partial(FlowPrior, flow=small_flow),
    "full_gaussian": FullGaussianPrior,
    "gaussian_mixture": GaussianMixturePrior,
}
LEARNED = {"full_gaussian": FullGaussianPrior, "gaussian_mixture": GaussianMixturePrior}
"""Priors with weights of their own, of any shape."""


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
    check(lambda latent_dim, encode, channels, n_samples: make(latent_dim))


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


def test_a_new_full_gaussian_is_the_standard_normal():
    z = torch.randn(50, 4).double()
    new, normal = FullGaussianPrior(4).double()(), StandardNormalPrior(4).double()()
    assert torch.allclose(new.log_prob(z), normal.log_prob(z), atol=1e-6)


def test_full_gaussian_learns_the_mean_and_the_covariance_of_its_data():
    mixing = torch.tensor([[0.5, 0.0, 0.0], [-0.8, 1.5, 0.0], [0.2, 0.3, 0.1]]).double()
    z = torch.randn(400, 3).double() @ mixing.T + torch.tensor([1.0, -2.0, 0.5]).double()
    prior = FullGaussianPrior(3).double()
    optimizer = torch.optim.LBFGS(prior.parameters(), max_iter=200, line_search_fn="strong_wolfe")

    def cost():
        optimizer.zero_grad()
        loss = -prior().log_prob(z).mean()
        loss.backward()
        return loss

    optimizer.step(cost)
    learned = prior()
    assert torch.allclose(learned.mode, z.mean(0), atol=1e-3)
    assert torch.allclose(learned.factor @ learned.factor.T, z.T.cov(correction=0), atol=1e-3)


@pytest.mark.parametrize("make", LEARNED.values(), ids=LEARNED)
@pytest.mark.parametrize("size", [0.0, 1.0, 1e3])
def test_learned_priors_have_finite_gradients_far_away_and_at_their_smallest_scale(make, size):
    prior = make(4)
    with torch.no_grad():
        for name, parameter in prior.named_parameters():
            parameter.fill_(-200.0 if "raw" in name else 0.0)
    z = (size * torch.randn(8, 4)).requires_grad_()
    prior().log_prob(z).mean().backward()
    for gradient in (z.grad, *(parameter.grad for parameter in prior.parameters())):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("make", LEARNED.values(), ids=LEARNED)
def test_a_learned_prior_bounds_its_density_by_its_smallest_scale(make):
    prior = make(4, min_scale=0.1)
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.fill_(-200.0)
    highest = -4 * (math.log(0.1) + 0.5 * math.log(2 * math.pi))
    assert prior().log_prob(prior().mode).item() == pytest.approx(highest, abs=1e-3)


@pytest.mark.parametrize("make", LEARNED.values(), ids=LEARNED)
@pytest.mark.parametrize("wrong", [0.0, -1.0, 1.0])
def test_a_smallest_scale_without_room_is_refused(make, wrong):
    with pytest.raises(ValueError, match="min_scale must be above 0 and below"):
        make(4, min_scale=wrong)


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("name", LEARNED)
def test_learned_priors_learn_from_the_first_step(name, posterior, tiny, catalogue):
    settings = (f"model.prior={name}", f"model.posterior={posterior}", 'may_be_unused=["defaults.flow"]')
    training = training_of((*tiny, *settings), catalogue)
    before = {key: tensor.clone() for key, tensor in training.model.prior.state_dict().items()}
    values = training.step(0)
    assert all(math.isfinite(value) for value in values.values())
    after = training.model.prior.state_dict()
    assert before
    assert not [key for key in before if torch.equal(before[key], after[key])]


def test_a_new_mixture_is_near_the_standard_normal():
    new, normal = GaussianMixturePrior(16).double()(), StandardNormalPrior(16).double()()
    z = new.sample(torch.Size((20_000,)))
    nats = (new.log_prob(z) - normal.log_prob(z)).mean()
    assert 0 < nats < 16 * 0.005
    assert torch.allclose(z.var(0), torch.ones(16).double(), atol=0.05)


def test_a_new_mixtures_components_part():
    """Two clusters, far apart: gradients lead components to both, from a start at which none is like another."""
    centres = torch.tensor([[3.0, 0.0], [-3.0, 0.0]])
    z = centres.repeat(100, 1) + 0.2 * torch.randn(200, 2)
    prior = GaussianMixturePrior(2, n_components=4)
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    for _ in range(300):
        optimizer.zero_grad()
        (-prior().log_prob(z).mean()).backward()
        optimizer.step()
    best = math.log(2) + 1 + math.log(2 * math.pi) + 2 * math.log(0.2)  # the entropy of the two
    assert abs(-prior().log_prob(z).mean().item() - best) < 0.15
    samples = prior().sample(torch.Size((1000,)))
    assert 0.35 < (samples[:, 0] > 0).float().mean() < 0.65


def test_a_mixture_of_one_is_that_normal():
    prior = unsettled(GaussianMixturePrior(4, n_components=1)).double()
    z = torch.randn(5, 4).double()
    alone = torch.distributions.Normal(prior.mean[0], prior.scale()[0])
    assert torch.allclose(prior().log_prob(z), alone.log_prob(z).sum(-1), atol=1e-9)


def test_a_mixture_of_none_is_refused():
    with pytest.raises(ValueError, match="n_components must be at least 1, got 0"):
        GaussianMixturePrior(4, n_components=0)
