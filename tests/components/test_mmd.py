"""What is paid where no density is asked for: nothing, or the distance of a batch's codes from samples of the prior."""

from functools import partial

import numpy as np
import pytest
import torch

from flowvae.testing import regularizer as conformance
from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.priors.full_gaussian import FullGaussianPrior
from flowvae_components.priors.spherical import SphericalPrior
from flowvae_components.regularizers.none import NoRegularizer
from flowvae_components.regularizers.wasserstein_mmd import WassersteinMMD
from flowvae_components.schedules.linear import linear


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def standard(d):
    return DiagonalNormal(torch.zeros(d).double(), torch.ones(d).double())


def mmd(codes, prior=None, **keys):
    prior = prior or standard(codes.shape[1])
    return WassersteinMMD(100, **keys)(prior, prior, codes, torch.full((len(codes),), torch.nan))


def normal(*shape):
    return torch.randn(*shape).double()


@pytest.mark.parametrize("make", [WassersteinMMD, lambda n_steps: NoRegularizer()], ids=["mmd", "none"])
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_they_do_what_a_regularizer_must(make, check):
    check(make)


def test_the_price_is_the_sum_over_pairs_written_out():
    codes, prior = normal(7, 3) + 1, standard(3)
    torch.manual_seed(5)
    price = mmd(codes, prior, scales=(0.5, 2.0), spread=1.5)
    torch.manual_seed(5)
    z, p = codes.numpy(), prior.sample(torch.Size((7,))).numpy()

    def kernel(x, y):
        square = ((x - y) ** 2).sum()
        return np.mean([c / (c + square) for c in (0.5 * 2 * 3 * 1.5**2, 2.0 * 2 * 3 * 1.5**2)])

    apart = [(i, j) for i in range(7) for j in range(7) if i != j]
    among = [np.mean([kernel(x[i], x[j]) for i, j in apart]) for x in (z, p)]
    across = np.mean([kernel(a, b) for a in z for b in p])
    assert price.item() == pytest.approx(among[0] + among[1] - 2 * across, abs=1e-12)


@pytest.mark.parametrize("d", [2, 128])
def test_equal_distributions_cost_nothing_on_average(d):
    prices = torch.stack([mmd(normal(16, d)) for _ in range(200)])
    assert abs(prices.mean().item()) < 3 * prices.std().item() / 200**0.5
    assert prices.min() < 0 < prices.max()


def test_the_price_grows_with_the_distance():
    codes = normal(64, 8)
    prices = [mmd(codes + shift).item() for shift in (0.0, 0.5, 1.0, 2.0, 4.0, 100.0)]
    assert prices == sorted(prices)
    assert 1 < prices[-1] <= 2


@pytest.mark.parametrize("d", [16, 128])
def test_codes_twice_as_wide_stand_out_from_the_noise_in_any_number_of_dimensions(d):
    """A kernel that divides by the number of dimensions once too often is nearly constant: 8e-4 at 128 of them."""
    equal = torch.stack([mmd(normal(64, d)) for _ in range(20)])
    wide = torch.stack([mmd(2 * normal(64, d)) for _ in range(20)])
    assert wide.mean() > 0.05
    assert wide.min() > equal.mean() + 10 * equal.std()


def test_codes_that_shrink_to_a_point_cost_more_than_codes_that_do_not():
    assert mmd(0.01 * normal(64, 8)) > 10 * mmd(0.7 * normal(64, 8)).abs()


def test_gradients_lead_codes_to_the_place_and_the_spread_of_the_prior():
    place, spread = (torch.full((2,), x).double().requires_grad_() for x in (1.0, 0.3))
    for _ in range(100):
        price = mmd(place + spread * normal(64, 2))
        for number, gradient in zip(
            (place, spread), torch.autograd.grad(price, (place, spread)), strict=True
        ):
            number.data -= gradient
    assert torch.allclose(place, torch.zeros(2).double(), atol=0.2)
    assert torch.allclose(spread, torch.ones(2).double(), atol=0.2)


def test_equal_codes_have_finite_gradients():
    codes = torch.zeros(4, 3, requires_grad=True)
    mmd(codes, DiagonalNormal(torch.zeros(3), torch.ones(3))).backward()
    assert codes.grad.isfinite().all()


def test_of_a_batch_of_one_the_price_is_0():
    price = mmd(normal(1, 3).requires_grad_())
    assert price.item() == 0
    assert not price.requires_grad


def test_on_a_small_sphere_the_spread_of_the_prior_makes_the_kernel_as_wide():
    """What it says of codes in one half of a sphere does not depend on the radius."""
    prices = []
    for radius in (1.0, 4.0):
        torch.manual_seed(3)
        prior = SphericalPrior(16, radius=radius).double()()
        prices.append(mmd(prior.sample(torch.Size((64,))).abs(), prior, spread=radius / 4))
    assert prices[0].item() == pytest.approx(prices[1].item(), abs=1e-6)
    assert prices[0] > 0.02


def test_a_learned_prior_gets_no_gradient_from_it():
    prior = FullGaussianPrior(3)
    mmd(torch.randn(8, 3, requires_grad=True), prior()).backward()
    assert not [name for name, p in prior.named_parameters() if p.grad is not None]


@pytest.mark.parametrize(
    "wrong", [{"beta": -1.0}, {"spread": 0.0}, {"scales": ()}, {"scales": (1.0, 0.0)}], ids=str
)
def test_values_without_meaning_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} must"):
        WassersteinMMD(100, **wrong)


def test_none_costs_nothing_and_weighs_nothing():
    price = NoRegularizer()(standard(3), standard(3), normal(4, 3), normal(4))
    assert price.item() == 0
    assert NoRegularizer().beta(0) == NoRegularizer().beta(99) == 0.0


def test_the_weight_follows_its_ramp():
    mmd = WassersteinMMD(100, beta=4.0, schedule=partial(linear, start=0.0, end=1.0, share=0.5))
    assert [mmd.beta(step) for step in (0, 25, 99)] == [0.0, 2.0, 4.0]
    assert WassersteinMMD(100, beta=4.0).beta(7) == 4.0
