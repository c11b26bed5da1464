"""The losses of two players: their formulas, what they ask of a logit, and where they rest."""

import numpy as np
import pytest
import torch

from flowvae.testing import adversarial as conformance
from flowvae_components.adversarial_losses.hinge import Hinge
from flowvae_components.adversarial_losses.least_squares import LeastSquares

LOSSES = [Hinge, LeastSquares]


def logits(*size, seed=0):
    return 2 * torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def same(value):
    return torch.full((2, 1, 7), value)


@pytest.mark.parametrize("make", LOSSES)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_both_do_what_a_pair_of_losses_must(make, check):
    check(make)


def test_hinge_follows_its_formula():
    r, f = logits(3, 1, 9), logits(3, 1, 9, seed=1)
    expected = np.maximum(0, 1 - r.numpy()).mean() + np.maximum(0, 1 + f.numpy()).mean()
    assert Hinge().discriminator(r, f).item() == pytest.approx(expected, rel=1e-12)
    assert Hinge().generator(f).item() == pytest.approx(-f.numpy().mean(), rel=1e-12)


def test_least_squares_follows_its_formula():
    r, f = logits(3, 1, 9), logits(3, 1, 9, seed=1)
    expected = ((1 - r.numpy()) ** 2).mean() + (f.numpy() ** 2).mean()
    assert LeastSquares().discriminator(r, f).item() == pytest.approx(expected, rel=1e-12)
    assert LeastSquares().generator(f).item() == pytest.approx(((1 - f.numpy()) ** 2).mean(), rel=1e-12)


@pytest.mark.parametrize("make", LOSSES)
def test_the_gradients_are_those_of_the_formulas(make):
    losses, r, f = make(), logits(2, 1, 5).requires_grad_(), logits(2, 1, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(losses.discriminator, (r, f))
    assert torch.autograd.gradcheck(losses.generator, (f,))


def test_logits_of_zero_cost_the_hinge_2_and_least_squares_1_and_1():
    zero = same(0.0)
    assert Hinge().discriminator(zero, zero) == 2
    assert Hinge().generator(zero) == 0
    assert LeastSquares().discriminator(zero, zero) == 1
    assert LeastSquares().generator(zero) == 1


@pytest.mark.parametrize(("real", "estimate"), [(1.0, -1.0), (1.5, -7.0), (100.0, -100.0)])
def test_the_hinge_rests_beyond_its_margins(real, estimate):
    r, f = same(real + 1e-3).requires_grad_(), same(estimate - 1e-3).requires_grad_()
    value = Hinge().discriminator(r, f)
    value.backward()
    assert value == 0
    assert not r.grad.any()
    assert not f.grad.any()
    assert Hinge().discriminator(same(real), same(estimate)) == 0  # the margin itself is beyond


def test_the_hinge_of_estimates_is_at_minus_1_and_the_generator_has_none():
    assert Hinge().discriminator(same(9.0), same(-0.5)) == 0.5
    assert Hinge().generator(same(9.0)) == -9
    assert Hinge().generator(same(-9.0)) == 9


def test_least_squares_rests_where_its_labels_are():
    r, f = same(1.0).requires_grad_(), same(0.0).requires_grad_()
    LeastSquares().discriminator(r, f).backward()
    assert not r.grad.any()
    assert not f.grad.any()
    assert LeastSquares().generator(same(1.0)) == 0


@pytest.mark.parametrize("make", LOSSES)
def test_at_the_boundary_the_pulls_on_both_sides_are_equal(make):
    losses = make()
    r, f = (same(losses.boundary).requires_grad_() for _ in range(2))
    losses.discriminator(r, f).backward()
    assert torch.equal(r.grad, -f.grad)


@pytest.mark.parametrize("make", LOSSES)
def test_half_precision_is_widened_before_the_mean(make):
    losses, r, f = make(), logits(2, 1, 999).bfloat16(), logits(2, 1, 999, seed=1).bfloat16()
    assert torch.equal(losses.discriminator(r, f), losses.discriminator(r.float(), f.float()))
    assert torch.equal(losses.generator(f), losses.generator(f.float()))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(losses.discriminator(r, f), losses.discriminator(r.float(), f.float()))
