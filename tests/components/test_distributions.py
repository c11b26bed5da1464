"""Normal distributions, plain and seen through a flow."""

import math

import pytest
import torch
from scipy import stats

from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.distributions.flow_distribution import FlowDistribution
from flowvae_components.distributions.full_normal import FullNormal
from flowvae_components.distributions.moments import Moments
from flowvae_components.distributions.normal_mixture import NormalMixture


def bend(u, context=None):
    """y = sinh(u) + context in each dimension: an inverse and a Jacobian that are known by hand."""
    shift = 0.0 if context is None else context
    return torch.sinh(u) + shift, torch.log(torch.cosh(u)).sum(-1)


def straighten(z, context=None):
    shift = 0.0 if context is None else context
    u = torch.asinh(z - shift)
    return u, -torch.log(torch.cosh(u)).sum(-1)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_density_of_a_normal_is_that_of_scipy():
    mean, scale, z = (torch.randn(5, 3, dtype=torch.float64) for _ in range(3))
    ours = DiagonalNormal(mean, scale.exp()).log_prob(z)
    theirs = stats.norm.logpdf(z.numpy(), mean.numpy(), scale.exp().numpy()).sum(-1)
    assert torch.allclose(ours, torch.from_numpy(theirs), atol=1e-12)


def test_normal_sample_comes_with_its_own_density():
    distribution = DiagonalNormal(torch.randn(64, 3).double(), torch.rand(64, 3).double() + 0.1)
    z, log_prob = distribution.rsample_and_log_prob()
    assert torch.allclose(distribution.log_prob(z), log_prob, atol=1e-10)


def test_density_at_the_own_sample_does_not_depend_on_the_mean():
    mean = torch.full((4, 3), 100.0, requires_grad=True)
    _, log_prob = DiagonalNormal(mean, torch.full((4, 3), 1e-3)).rsample_and_log_prob()
    assert not log_prob.requires_grad
    noise_part = log_prob + 3 * (math.log(1e-3) + 0.5 * math.log(2 * math.pi))
    assert (noise_part <= 1e-4).all()  # -|noise|^2 / 2: no rounding of 100 + 0.001 * noise in it


@pytest.mark.parametrize(("mean", "scale", "nats"), [(1.0, 1.0, 0.5), (0.0, 0.5, 0.3181472), (0.0, 1.0, 0.0)])
def test_divergence_of_normals_has_its_closed_form(mean, scale, nats):
    posterior = DiagonalNormal(torch.full((2, 1), mean).double(), torch.full((2, 1), scale).double())
    prior = DiagonalNormal(torch.zeros(1).double(), torch.ones(1).double())
    assert torch.allclose(
        torch.distributions.kl_divergence(posterior, prior), torch.tensor(nats).double(), atol=1e-6
    )


def test_divergence_of_a_flow_has_no_closed_form():
    base = DiagonalNormal(torch.zeros(2), torch.ones(2))
    bent = FlowDistribution(base, push=bend, pull=straighten)
    for pair in ((bent, base), (base, bent), (bent, bent)):
        with pytest.raises(NotImplementedError):
            torch.distributions.kl_divergence(*pair)


def test_pushed_density_integrates_to_one():
    bent = FlowDistribution(DiagonalNormal(torch.zeros(2), torch.ones(2)), push=bend, pull=straighten)
    line = torch.arange(-40, 40, 0.1)
    density = bent.log_prob(torch.cartesian_prod(line, line)).exp()
    assert abs(density.sum().item() * 0.01 - 1) < 1e-2


def test_pushed_sample_comes_with_its_own_density():
    base = DiagonalNormal(torch.zeros(64, 2).double(), torch.ones(64, 2).double())
    context = torch.randn(64, 2).double()
    bent = FlowDistribution(base, push=bend, pull=straighten, context=context)
    z, log_prob = bent.rsample_and_log_prob()
    assert torch.allclose(bent.log_prob(z), log_prob, atol=1e-10)


def test_context_follows_its_item_through_sample_axes():
    base = DiagonalNormal(torch.zeros(3, 2), torch.full((3, 2), 1e-6))
    context = torch.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    bent = FlowDistribution(base, push=bend, pull=straighten, context=context)
    samples = bent.sample(torch.Size((5, 4)))
    assert samples.shape == (5, 4, 3, 2)
    assert torch.allclose(samples, context.expand(5, 4, 3, 2), atol=1e-4)
    assert bent.log_prob(samples).shape == (5, 4, 3)


def test_mode_is_the_image_of_the_bases_mode():
    bent = FlowDistribution(
        DiagonalNormal(torch.full((3, 2), 0.5), torch.ones(3, 2)), push=bend, pull=straighten
    )
    assert torch.allclose(bent.mode, torch.full((3, 2), math.sinh(0.5)))


def test_scale_never_falls_below_its_floor():
    moments = Moments(4, 2, min_scale=0.01)
    scale = moments(-1e6 * torch.ones(3, 4) * moments.linear.weight[2:].sum(0).sign()).base_dist.scale
    assert scale.min() >= 0.01


def test_moments_ignore_half_precision():
    moments, features = Moments(4, 2, min_scale=0.01), torch.randn(3, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(moments(features).mode, moments(features.clone()).mode)
        assert moments(features).mode.dtype == torch.float32


def test_floor_of_zero_is_refused():
    with pytest.raises(ValueError, match="min_scale must be above 0, got 0"):
        Moments(4, 2, min_scale=0.0)


def slanted():
    """A normal distribution whose dimensions lean on each other, and the same by torch."""
    mean, factor = torch.randn(3).double(), torch.randn(3, 3).double().tril()
    factor.diagonal().abs_().add_(0.2)
    return FullNormal(mean, factor), torch.distributions.MultivariateNormal(mean, scale_tril=factor)


def test_density_of_a_full_normal_is_that_of_scipy():
    ours, _ = slanted()
    z = torch.randn(4, 5, 3).double()
    covariance = (ours.factor @ ours.factor.T).numpy()
    theirs = stats.multivariate_normal.logpdf(z.numpy(), ours.mode.numpy(), covariance)
    assert torch.allclose(ours.log_prob(z), torch.from_numpy(theirs), atol=1e-9)


def test_sample_of_a_full_normal_comes_with_its_own_density():
    ours, _ = slanted()
    z, log_prob = ours.rsample_and_log_prob()
    assert torch.allclose(ours.log_prob(z), log_prob, atol=1e-9)


def test_samples_of_a_full_normal_have_its_mean_and_covariance():
    ours, theirs = slanted()
    z = ours.sample(torch.Size((200, 500)))
    assert z.shape == (200, 500, 3)
    assert torch.allclose(z.flatten(0, 1).mean(0), theirs.mean, atol=0.03)
    assert torch.allclose(z.flatten(0, 1).T.cov(), theirs.covariance_matrix, atol=0.1)


def test_divergence_from_a_diagonal_to_a_full_normal_is_that_of_torch_between_full_ones():
    ours, theirs = slanted()
    mean, scale = torch.randn(6, 3).double(), torch.rand(6, 3).double() + 0.1
    diagonal = torch.distributions.MultivariateNormal(mean, scale_tril=torch.diag_embed(scale))
    closed = torch.distributions.kl_divergence(DiagonalNormal(mean, scale), ours)
    assert torch.allclose(closed, torch.distributions.kl_divergence(diagonal, theirs), atol=1e-9)


def mixed():
    """A mixture of three, and the same by torch."""
    logits, mean, scale = (
        torch.randn(3).double(),
        2 * torch.randn(3, 2).double(),
        torch.rand(3, 2).double() + 0.1,
    )
    theirs = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=logits), DiagonalNormal(mean, scale)
    )
    return NormalMixture(logits, mean, scale), theirs


def test_density_of_a_mixture_is_that_of_torch():
    ours, theirs = mixed()
    z = torch.randn(4, 5, 2).double()
    assert torch.allclose(ours.log_prob(z), theirs.log_prob(z), atol=1e-10)


def test_samples_of_a_mixture_have_its_moments_and_its_weights():
    ours, theirs = mixed()
    z = ours.sample(torch.Size((100, 500)))
    assert z.shape == (100, 500, 2)
    assert torch.allclose(z.mean((0, 1)), theirs.mean, atol=0.05)
    assert torch.allclose(z.var((0, 1)), theirs.variance, atol=0.1)
    far = NormalMixture(
        ours.log_weights, torch.tensor([[0.0], [10.0], [20.0]]).double(), torch.ones(3, 1).double()
    )
    drawn = far.sample(torch.Size((50_000,))).div(10).round().clamp(0, 2).long().flatten()
    shares = torch.bincount(drawn, minlength=3) / 50_000
    assert torch.allclose(shares.double(), ours.log_weights.exp(), atol=0.01)


def test_sample_of_a_mixture_has_the_gradient_of_the_component_that_was_drawn():
    mean = torch.tensor([[0.0], [100.0]], requires_grad=True)
    z, log_prob = NormalMixture(torch.zeros(2), mean, torch.ones(2, 1)).rsample_and_log_prob()
    gradient = torch.autograd.grad(z.sum(), mean)[0].flatten()
    assert gradient.tolist() == ([0.0, 1.0] if z.item() > 50 else [1.0, 0.0])
    assert log_prob.isfinite()


def test_which_component_is_drawn_comes_from_torchs_generator():
    ours, _ = mixed()
    draws = []
    for seed in (5, 5, 6):
        torch.manual_seed(seed)
        draws.append(ours.sample(torch.Size((20,))))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_mode_of_a_mixture_is_the_component_where_it_is_densest():
    logits, mean = torch.tensor([0.0, 1.0, 0.5]), torch.tensor([[0.0], [5.0], [9.0]])
    assert NormalMixture(logits, mean, torch.ones(3, 1)).mode.tolist() == [5.0]
    narrow = NormalMixture(logits, mean, torch.tensor([[1.0], [1.0], [0.1]]))
    assert narrow.mode.tolist() == [9.0]


def test_divergence_from_a_mixture_has_no_closed_form():
    ours, _ = mixed()
    with pytest.raises(NotImplementedError):
        torch.distributions.kl_divergence(DiagonalNormal(torch.zeros(1, 2), torch.ones(1, 2)), ours)
