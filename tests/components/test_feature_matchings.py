"""Distances between features: nothing for equal ones, and what a layer's size has to say."""

import pytest
import torch

from flowvae.testing import feature_matching as conformance
from flowvae_components.feature_matchings.l1 import L1
from flowvae_components.feature_matchings.relative_l1 import RelativeL1

DISTANCES = [L1, RelativeL1]


def features(seed, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return [
        scale * torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((2, 4, 9), (2, 3, 5, 2), (2, 7))
    ]


@pytest.mark.parametrize("make", DISTANCES)
@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_both_do_what_a_distance_must(make, check):
    check(make)


def test_plain_distance_follows_its_formula():
    pairs = zip(features(0), features(1), strict=True)
    expected = sum(abs(r - f).numpy().mean() for r, f in pairs) / 3
    assert L1()(features(0), features(1)).item() == pytest.approx(expected, rel=1e-12)


def test_relative_distance_follows_its_formula():
    pairs = zip(features(0), features(1), strict=True)
    expected = sum(abs(r - f).numpy().mean() / abs(r).numpy().mean() for r, f in pairs) / 3
    assert RelativeL1()(features(0), features(1)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("make", DISTANCES)
def test_the_gradients_are_those_of_the_formulas(make):
    estimate = [f.requires_grad_() for f in features(1)]
    assert torch.autograd.gradcheck(lambda *given: make()(features(0), given), estimate)


@pytest.mark.parametrize("make", DISTANCES)
def test_equal_features_cost_exactly_nothing(make):
    assert make()(features(0), features(0)) == 0


def test_features_ten_times_as_large_cost_ten_times_as_much_or_relatively_the_same():
    once, tenfold = (features(0), features(1)), (features(0, 10.0), features(1, 10.0))
    assert L1()(*tenfold).item() == pytest.approx(10 * L1()(*once).item(), rel=1e-12)
    assert RelativeL1()(*tenfold).item() == pytest.approx(RelativeL1()(*once).item(), rel=1e-12)


def test_one_layer_ten_times_as_large_keeps_its_say_in_the_relative_distance():
    real, estimate = features(0), features(1)
    enlarged = [10 * real[0], *real[1:]], [10 * estimate[0], *estimate[1:]]
    assert RelativeL1()(*enlarged).item() == pytest.approx(RelativeL1()(real, estimate).item(), rel=1e-12)


def test_an_estimate_of_nothing_costs_the_relative_distance_1():
    assert RelativeL1()(features(0), [0 * f for f in features(0)]).item() == pytest.approx(1.0, rel=1e-12)


def test_under_its_floor_a_layer_is_divided_by_the_floor():
    faint = [torch.full((2, 3), 1e-4)], [torch.full((2, 3), 3e-4)]
    assert RelativeL1(floor=1e-2)(*faint).item() == pytest.approx(0.02, rel=1e-5)
    assert RelativeL1(floor=1e-5)(*faint).item() == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize("make", DISTANCES)
def test_half_precision_is_summed_in_more_digits(make):
    real, estimate = ([f.bfloat16() for f in features(seed)] for seed in (0, 1))
    value = make()(real, estimate)
    assert value.dtype == torch.float32
    wide = make()([f.float() for f in real], [f.float() for f in estimate])
    assert value.item() == pytest.approx(wide.item(), rel=2e-3)
    assert value.item() != value.bfloat16().item()


@pytest.mark.parametrize("make", DISTANCES)
def test_no_features_and_unequal_numbers_of_them_are_refused(make):
    with pytest.raises(ValueError, match="no features to match"):
        make()([], [])
    with pytest.raises(ValueError, match="shorter"):
        make()(features(0), features(1)[:2])


def test_a_floor_without_meaning_is_refused_by_name():
    with pytest.raises(ValueError, match=r"^floor must"):
        RelativeL1(floor=0.0)
