"""The prior that is a mixture of posteriors: against sums written out, and against the distributions that it borrows."""

import copy
import math
from functools import partial

import pytest
import torch
from torch import nn

from flowvae.testing import prior as conformance
from flowvae.testing.properties import unsettled
from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.distributions.normal_mixture import NormalMixture
from flowvae_components.distributions.posterior_mixture import AT_ONCE, PosteriorMixture
from flowvae_components.flows.real_nvp import RealNVP
from flowvae_components.posteriors.flow import FlowPosterior
from flowvae_components.posteriors.gaussian import GaussianPosterior
from flowvae_components.priors.vamp import LEVEL, VampPrior


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


class Model(nn.Module):
    """What a prior sees of a model, with a single layer for its encoder."""

    def __init__(self, posterior=GaussianPosterior, n_pseudo_inputs=5):
        super().__init__()
        self.encoder = nn.Linear(2 * 16, 6)
        self.posterior = posterior(6, 3)
        self.prior = VampPrior(self.encode, 2, 16, n_pseudo_inputs=n_pseudo_inputs)

    def encode(self, audio):
        return self.posterior(self.encoder(audio.flatten(1)))


POSTERIORS = {
    "gaussian": GaussianPosterior,
    "flow": partial(FlowPosterior, flow=partial(RealNVP, hidden=8)),
}
posteriors = pytest.mark.parametrize("posterior", POSTERIORS.values(), ids=POSTERIORS)


def model_of(posterior, **keys):
    return unsettled(Model(posterior, **keys), 0.3).double()


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_vamp_does_what_a_prior_must(check):
    check(lambda latent_dim, encode, channels, n_samples: VampPrior(encode, channels, n_samples))


@posteriors
def test_its_density_is_the_mean_of_those_of_the_posteriors_of_its_pseudo_inputs(posterior):
    model = model_of(posterior)
    z = model.prior().sample(torch.Size((4, 7)))
    densities = [model.encode(u[None]).log_prob(z.reshape(28, 1, 3)).exp() for u in model.prior.pseudo_inputs]
    expected = torch.stack(densities).mean(0).log().reshape(4, 7)
    assert torch.allclose(model.prior().log_prob(z), expected, atol=1e-9)


def test_of_normal_distributions_it_is_their_mixture():
    mean, scale = 2 * torch.randn(5, 3).double(), torch.rand(5, 3).double() + 0.1
    ours = PosteriorMixture(DiagonalNormal(mean, scale))
    theirs = NormalMixture(torch.zeros(5).double(), mean, scale)
    z = torch.randn(4, 3).double()
    assert torch.allclose(ours.log_prob(z), theirs.log_prob(z), atol=1e-10)
    assert torch.equal(ours.mode, theirs.mode)


@posteriors
def test_one_pseudo_input_gives_its_posterior(posterior):
    model = model_of(posterior, n_pseudo_inputs=1)
    alone = model.encode(model.prior.pseudo_inputs)
    z = torch.randn(4, 1, 3).double()
    assert torch.allclose(model.prior().log_prob(z), alone.log_prob(z), atol=1e-12)
    assert torch.equal(model.prior().mode, alone.mode[0])


def test_samples_come_equally_often_from_each_posterior_with_its_spread():
    mean = torch.tensor([[0.0], [10.0], [20.0], [30.0]]).double()
    scale = torch.tensor([[0.5], [1.0], [0.1], [0.3]]).double()
    samples = PosteriorMixture(DiagonalNormal(mean, scale)).sample(torch.Size((100, 200)))
    assert samples.shape == (100, 200, 1)
    which = samples.flatten().div(10).round().long()
    shares = torch.bincount(which, minlength=4) / 20_000
    assert torch.allclose(shares, torch.full((4,), 0.25), atol=0.02)
    for k in range(4):
        assert samples.flatten()[which == k].std().item() == pytest.approx(scale[k].item(), rel=0.1)


def test_samples_that_are_drawn_together_do_not_know_of_each_other():
    samples = PosteriorMixture(DiagonalNormal(torch.zeros(3, 2), torch.ones(3, 2))).sample(
        torch.Size((2 * AT_ONCE + 1,))
    )
    assert len(samples) == 2 * AT_ONCE + 1
    assert len(samples.unique(dim=0)) == len(samples)


@posteriors
def test_a_sample_comes_with_its_density_and_the_gradient_of_one_pseudo_input(posterior):
    model = model_of(posterior)
    prior = model.prior()
    latent, log_prob = prior.rsample_and_log_prob()
    assert torch.allclose(prior.log_prob(latent), log_prob, atol=1e-9)
    gradient = torch.autograd.grad(latent.sum(), model.prior.pseudo_inputs)[0].abs().sum((1, 2))
    assert (gradient > 0).sum() == 1


@posteriors
def test_its_gradient_reaches_pseudo_inputs_encoder_and_posterior(posterior):
    model = model_of(posterior)
    (-model.prior().log_prob(torch.randn(8, 3).double()).mean()).backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


def test_it_has_no_weights_but_its_pseudo_inputs():
    model = Model()
    assert [*model.prior.state_dict()] == ["pseudo_inputs"]
    assert [name for name in model.state_dict() if "prior" in name] == ["prior.pseudo_inputs"]


def test_in_a_copy_of_the_model_it_encodes_with_the_copy():
    model = model_of(GaussianPosterior)
    twin = copy.deepcopy(model)
    assert torch.equal(twin.prior().mode, model.prior().mode)
    with torch.no_grad():
        twin.encoder.weight.zero_()
    assert not torch.equal(twin.prior().mode, model.prior().mode)
    assert twin.prior.encode.__self__ is twin


def test_pseudo_inputs_start_as_noise_of_their_level():
    pseudo_inputs = VampPrior(lambda audio: None, 2, 4096, n_pseudo_inputs=8).pseudo_inputs
    assert pseudo_inputs.shape == (8, 2, 4096)
    assert torch.allclose(pseudo_inputs.square().mean((1, 2)).sqrt(), torch.tensor(LEVEL), rtol=0.05)


def test_pseudo_inputs_move_to_where_the_sounds_are():
    """Two clusters of codes, an encoder that stays as it is: the mixture comes near the entropy of the two."""

    def encode(audio):
        mean = audio.flatten(1)[:, :2]
        return DiagonalNormal(mean, torch.full_like(mean, 0.2))

    centres = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    z = centres.repeat(100, 1) + 0.2 * torch.randn(200, 2)
    prior = VampPrior(encode, 1, 2, n_pseudo_inputs=2)
    optimizer = torch.optim.Adam(prior.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        (-prior().log_prob(z).mean()).backward()
        optimizer.step()
    best = math.log(2) + 1 + math.log(2 * math.pi) + 2 * math.log(0.2)
    assert abs(-prior().log_prob(z).mean().item() - best) < 0.15


def test_no_pseudo_input_is_refused():
    with pytest.raises(ValueError, match=r"^n_pseudo_inputs must be at least 1, got 0"):
        VampPrior(lambda audio: None, 1, 16, n_pseudo_inputs=0)
