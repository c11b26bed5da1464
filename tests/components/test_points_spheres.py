"""Codes without noise, at any place and on a sphere, and what is drawn beside them."""

import math

import pytest
import torch

from flowvae.testing import posterior as posterior_conformance
from flowvae.testing import prior as prior_conformance
from flowvae_components.distributions.point import Point
from flowvae_components.distributions.sphere import SHORTEST, UniformSphere, on_sphere, pole
from flowvae_components.posteriors.deterministic import DeterministicPosterior
from flowvae_components.posteriors.gaussian import GaussianPosterior
from flowvae_components.posteriors.spherical import SphericalPosterior
from flowvae_components.priors.spherical import SphericalPrior


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("make", [DeterministicPosterior, SphericalPosterior])
@pytest.mark.parametrize("check", posterior_conformance.CHECKS, ids=lambda check: check.__name__)
def test_posteriors_of_points_do_what_a_posterior_must(make, check):
    check(make)


@pytest.mark.parametrize("check", prior_conformance.CHECKS, ids=lambda check: check.__name__)
def test_the_spherical_prior_does_what_a_prior_must(check):
    check(lambda latent_dim, encode, channels, n_samples: SphericalPrior(latent_dim))


def test_every_sample_of_a_point_is_its_mode():
    vectors = torch.randn(5, 3, requires_grad=True)
    point = Point(vectors)
    assert torch.equal(point.mode, vectors)
    assert torch.equal(point.rsample_and_log_prob()[0], vectors)
    assert torch.equal(point.sample(torch.Size((2, 4))), vectors.expand(2, 4, 5, 3))
    assert not point.sample(torch.Size((2,))).requires_grad
    assert torch.autograd.grad(point.rsample(torch.Size((2,))).sum(), vectors)[0].eq(2).all()


def test_a_point_and_a_sphere_have_no_density_and_no_divergence():
    point, sphere = Point(torch.zeros(5, 3)), UniformSphere(pole(3, None))
    assert point.log_prob(torch.zeros(2, 5, 3)).isnan().all()
    assert sphere.log_prob(torch.zeros(2, 5, 3)).shape == (2, 5)
    assert sphere.log_prob(torch.zeros(2, 5, 3)).isnan().all()
    for pair in ((point, point), (point, sphere), (sphere, sphere)):
        with pytest.raises(NotImplementedError):
            torch.distributions.kl_divergence(*pair)


def test_a_deterministic_code_is_a_line_of_features_at_their_own_level():
    posterior = DeterministicPosterior(6, 4).double()
    features = torch.randn(5, 6).double()
    linear = posterior.location.linear
    level = features / features.square().mean(-1, keepdim=True).sqrt()
    assert torch.allclose(posterior(features).mode, level @ linear.weight.T + linear.bias, atol=1e-9)


def test_points_start_as_wide_as_the_means_of_a_gaussian_posterior():
    features = torch.randn(200, 64)
    spreads = [make(64, 512)(features).mode.std() for make in (DeterministicPosterior, GaussianPosterior)]
    assert torch.isclose(*spreads, rtol=0.05)


@pytest.mark.parametrize(("radius", "norm"), [(None, math.sqrt(8)), (1.0, 1.0), (3.0, 3.0)])
def test_codes_and_samples_lie_on_the_sphere(radius, norm):
    codes = SphericalPosterior(6, 8, radius=radius).double()(torch.randn(50, 6).double()).mode
    samples = SphericalPrior(8, radius=radius).double()().sample(torch.Size((50,)))
    mode = SphericalPrior(8, radius=radius).double()().mode
    for vectors in (codes, samples, mode):
        assert torch.allclose(vectors.norm(dim=-1), torch.full((), norm).double(), atol=1e-6)


def test_a_code_on_the_sphere_points_where_its_line_of_features_does():
    posterior = SphericalPosterior(6, 8, radius=2.0).double()
    features = torch.randn(5, 6).double()
    line = posterior.location(features)
    assert torch.allclose(
        posterior(features).mode, 2 * torch.nn.functional.normalize(line, dim=-1), atol=1e-6
    )


def test_samples_of_the_sphere_are_uniform():
    """Mean 0, variance 1 in each dimension, none leaning on another, and in three dimensions each height equally often."""
    samples = SphericalPrior(3).double()().sample(torch.Size((100_000,)))
    assert torch.allclose(samples.mean(0), torch.zeros(3).double(), atol=0.02)
    assert torch.allclose(samples.T.cov(), torch.eye(3).double(), atol=0.02)
    shares = torch.histc(samples[:, 2] / math.sqrt(3), bins=10, min=-1, max=1) / 100_000
    assert torch.allclose(shares, torch.full((10,), 0.1).double(), atol=0.005)


@pytest.mark.parametrize("size", [0.0, 1e-30, SHORTEST / 10])
def test_a_vector_without_direction_becomes_the_pole_and_has_no_gradient(size):
    at = pole(4, None)
    x = torch.full((2, 4), size, requires_grad=True)
    x.data[0, 0] *= -1
    point = on_sphere(x, at)
    assert torch.allclose(point, at.expand(2, 4))
    assert torch.autograd.grad(point[:, 0].sum(), x)[0].eq(0).all()


def test_near_the_origin_the_gradient_stays_below_that_of_the_shortest_vector():
    x = torch.tensor([[1.1 * SHORTEST, 0.0, 0.0, 0.0]], requires_grad=True)
    gradient = torch.autograd.grad(on_sphere(x, pole(4, 1.0))[0, 1], x)[0]
    assert 1 / (2 * SHORTEST) < gradient.abs().max() < 1 / SHORTEST


@pytest.mark.parametrize("radius", [0.0, -1.0])
def test_a_sphere_without_radius_is_refused(radius):
    for make in (lambda: SphericalPosterior(6, 4, radius=radius), lambda: SphericalPrior(4, radius=radius)):
        with pytest.raises(ValueError, match=r"^radius must be above 0"):
            make()


def test_nothing_of_the_sphere_is_saved():
    assert not SphericalPrior(4).state_dict()
    assert set(SphericalPosterior(6, 4).state_dict()) == set(DeterministicPosterior(6, 4).state_dict())
