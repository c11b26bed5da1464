"""How much of the latent vector is used, and whether it stays where it is."""

import math

import pytest
import torch

from flowvae.contracts import Evidence
from flowvae_components.metrics.active_units_kl import ActiveUnitsKL
from flowvae_components.metrics.effective_dimensions import EffectiveDimensions
from flowvae_components.metrics.round_trip_drift import RoundTripDrift


def noise(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def of_kl(metric, kl):
    x = torch.zeros(len(kl), 1, 8)
    given = Evidence(real=x, estimate=x, generated=x, codes=kl, kl=kl.sum(1), kl_by_dimension=kl)
    return metric(given).item()


def of_trips(metric, codes, once, thrice):
    x = torch.zeros(len(codes), 1, 8)
    trips = torch.stack([once, thrice])
    given = Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0], round_trips=trips)
    return metric(given).item()


def test_units_are_active_where_the_mean_divergence_is_above_the_threshold():
    kl = torch.tensor([[0.0, 0.018, 0.03, 5.0], [0.0, 0.0, 0.0, 0.0]])
    assert of_kl(ActiveUnitsKL(), kl) == 2
    assert of_kl(ActiveUnitsKL(threshold=0.001), kl) == 3
    assert of_kl(ActiveUnitsKL(threshold=10.0), kl) == 0


@pytest.mark.parametrize("used", [1, 3, 8])
def test_equally_used_dimensions_count_as_many_as_they_are(used):
    kl = torch.zeros(5, 8).double()
    kl[:, :used] = noise(5, 1).abs()
    assert of_kl(EffectiveDimensions(), kl) == pytest.approx(used)


def test_two_dimensions_of_which_one_says_nine_tenths_count_as_little_more_than_one():
    kl = torch.tensor([[0.9, 0.1]]).double()
    assert of_kl(EffectiveDimensions(), kl) == pytest.approx(
        math.exp(-0.9 * math.log(0.9) - 0.1 * math.log(0.1))
    )


def test_a_latent_vector_that_says_nothing_has_no_dimension():
    for kl in (torch.zeros(4, 3), torch.full((4, 3), -1e-9)):
        assert of_kl(EffectiveDimensions(), kl) == 0
        assert of_kl(ActiveUnitsKL(), kl) == 0


@pytest.mark.parametrize("metric", [ActiveUnitsKL(), EffectiveDimensions()])
def test_divergences_without_parts_give_no_figure(metric):
    assert math.isnan(of_kl(metric, torch.full((4, 3), math.nan)))


def test_drift_is_the_distance_beside_the_spread_of_codes():
    codes = 7 + noise(500, 4)
    step = torch.tensor([0.6, 0.0, 0.8, 0.0]).double()  # of length 1, where codes spread by sqrt(4)
    once, thrice = (
        of_trips(RoundTripDrift(), codes, codes + step, codes),
        of_trips(RoundTripDrift(trips=3), codes, codes, codes + 2 * step),
    )
    assert once == pytest.approx(0.5, rel=0.05)
    assert thrice == pytest.approx(2 * once)
    assert of_trips(RoundTripDrift(), 100 * codes, 100 * (codes + step), codes) == pytest.approx(once)


def test_codes_that_stay_do_not_drift_and_a_deaf_decoder_drifts_by_about_1():
    codes = noise(500, 4)
    assert of_trips(RoundTripDrift(), codes, codes, codes) == 0
    mean = codes.mean(dim=0).expand_as(codes)
    assert of_trips(RoundTripDrift(), codes, mean, mean) == pytest.approx(0.94, abs=0.03)


def test_one_sound_and_equal_codes_have_a_finite_drift():
    code = torch.ones(3, 2)
    assert of_trips(RoundTripDrift(), code, code, code) == 0
    assert math.isfinite(of_trips(RoundTripDrift(), code[:1], code[:1] + 1, code[:1]))


def test_a_threshold_must_be_above_0():
    with pytest.raises(ValueError, match=r"^threshold must"):
        ActiveUnitsKL(threshold=0.0)
