import math

import numpy as np
import pytest
from scipy import stats

from flowvae.statistics.paired import (
    Word,
    detectable_difference,
    holm,
    judge,
    pair,
    paired_differences,
    seeds_needed,
    seeds_to_reach,
    sign_flip,
    smallest_p,
    t_interval,
)


def verdict_of(differences, direction="lower", n_arms=1) -> Word:
    paired = pair(dict.fromkeys(range(len(differences)), 0.0), dict(enumerate(differences)))
    p_holm = min(1.0, n_arms * paired.sign_flip.p)
    reachable = min(1.0, n_arms * smallest_p(len(differences)))
    return judge(paired, p_holm, reachable, direction).word


def test_unmatched_seeds_are_refused_as_pairs():
    with pytest.raises(ValueError, match=r"^seeds must be the same on both sides, unmatched: \[2, 3\]$"):
        paired_differences({0: 1.0, 1: 1.0, 2: 1.0}, {0: 1.0, 1: 1.0, 3: 1.0})


def test_pairs_are_matched_by_seed_and_not_by_position():
    assert paired_differences({3: 1.0, 1: 10.0}, {1: 11.0, 3: 3.0}) == {1: 1.0, 3: 2.0}


@pytest.mark.parametrize("n", [2, 3, 6, 20])
def test_interval_is_scipys_paired_t_interval(n):
    values = np.random.default_rng(n).standard_normal(n) + 0.3
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert t_interval(list(values)) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_interval_of_three_differences_by_hand():
    # mean 2, sd 1, t(0.975, 2) = 4.302653: 2 -+ 4.302653 / sqrt(3)
    assert t_interval([1.0, 2.0, 3.0]) == pytest.approx((2 - 2.4841377, 2 + 2.4841377), abs=1e-6)


def test_one_seed_has_no_interval():
    assert t_interval([1.0]) is None


def test_sign_flip_by_hand():
    # sums of (+-1 +-2 +-3): 6, 4, 2, 0, 0, -2, -4, -6; two of eight as far from 0 as 6, four as far as 4
    assert sign_flip([1.0, 2.0, 3.0]).p == 2 / 8
    assert sign_flip([-1.0, 2.0, 3.0]).p == 4 / 8
    assert sign_flip([0.0, 0.0]).p == 1.0


@pytest.mark.parametrize("n", [2, 4, 7, 10])
def test_sign_flip_is_scipys_exact_permutation_test(n):
    values = np.random.default_rng(n).standard_normal(n) + 0.4
    expected = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip(list(values)).p == pytest.approx(expected, rel=1e-12)


def test_ties_count_although_sums_round_differently():
    # The pattern that was seen is always one of those as far from 0, in whatever order its sum was taken.
    rng = np.random.default_rng(1)
    for _ in range(40):
        assert sign_flip(list(rng.uniform(0.1, 0.3, 12))).p == smallest_p(12)
    assert sign_flip([0.1, 0.2, -0.3]).p == 1.0


def test_beyond_sixteen_seeds_the_p_is_sampled_says_so_and_repeats():
    values = list(np.random.default_rng(0).standard_normal(17) + 0.5)
    first, again = sign_flip(values), sign_flip(values)
    assert first == again
    assert not first.exact
    assert sign_flip(values[:16]).exact
    assert first.p == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue, abs=0.02)
    assert sign_flip([1.0] * 40).p > 0


def test_smallest_p_is_reached_when_all_signs_agree():
    for n in range(1, 10):
        assert sign_flip([1.0 + 0.1 * i for i in range(n)]).p == smallest_p(n) == min(1.0, 2.0 ** (1 - n))


def test_holm_by_hand_and_in_any_order():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.5, 0.9]) == (1.0, 1.0)
    assert holm([]) == ()


def test_a_failed_comparison_stays_in_the_family():
    assert holm([0.02, None])[0] == pytest.approx(0.04)


@pytest.mark.parametrize(("difference", "sd"), [(1.0, 1.0), (0.5, 1.0), (0.1, 0.07), (2.0, 0.5)])
def test_seeds_needed_is_the_first_number_that_satisfies_the_formula(difference, sd):
    def enough(n):
        quantiles = stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)
        return n >= (quantiles * sd / difference) ** 2

    n = seeds_needed(difference, sd)
    assert enough(n)
    assert n == 2 or not enough(n - 1)


def test_seeds_needed_has_the_promised_power():
    n = seeds_needed(0.8, 1.0)
    t = stats.t.ppf(0.975, n - 1)
    power = stats.nct.sf(t, n - 1, 0.8 * math.sqrt(n)) + stats.nct.cdf(-t, n - 1, 0.8 * math.sqrt(n))
    assert 0.78 < power < 0.88


def test_detectable_difference_and_seeds_needed_are_inverse():
    for n in (4, 8, 30):
        found = detectable_difference(0.3, n)
        assert seeds_needed(found * 1.0001, 0.3) == n
    assert detectable_difference(0.3, 1) is None


def test_no_number_of_seeds_finds_a_difference_of_nothing():
    with pytest.raises(ValueError, match=r"^difference must not be 0"):
        seeds_needed(0.0, 1.0)


def test_first_number_of_seeds_that_can_pass_holm():
    for m in (1, 2, 3, 5):
        n = seeds_to_reach(m)
        assert m * smallest_p(n) <= 0.05 < m * smallest_p(n - 1)


def test_three_seeds_never_yield_a_claim():
    rng = np.random.default_rng(0)
    for scale in (1e-9, 0.01, 1.0):
        assert verdict_of([1.0 + scale * x for x in rng.standard_normal(3)]) == "not shown"


def test_verdict_names_what_the_design_could_not_show():
    paired = pair({0: 0.0, 1: 0.0, 2: 0.0}, {0: 1.0, 1: 1.1, 2: 0.9})
    verdict = judge(paired, 0.25, 0.25, "lower")
    assert (
        verdict.reason == "3 seeds can reach p = 0.25 at best: this design could not have shown a difference"
    )


def test_verdict_follows_the_direction():
    up = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0]
    assert verdict_of(up, "lower") == "worse"
    assert verdict_of(up, "higher") == "better"
    assert verdict_of([-d for d in up], "lower") == "better"
    assert verdict_of(up, "none") == "not shown"


def test_verdict_needs_the_interval_too():
    # All six agree, so p = 0.031, but one seed is so far out that the interval holds 0.
    assert sign_flip([0.1, 0.1, 0.1, 0.1, 0.1, 9.0]).p == 0.03125
    assert verdict_of([0.1, 0.1, 0.1, 0.1, 0.1, 9.0]) == "not shown"


def test_verdict_needs_the_adjusted_p_too():
    up = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0, 1.0]
    assert verdict_of(up, n_arms=3) == "worse"
    assert verdict_of([*up[:6], -0.1], n_arms=3) == "not shown"


@pytest.mark.parametrize("skewed", [False, True])
def test_arms_that_do_not_differ_are_told_apart_in_at_most_one_of_twenty(skewed):
    rng = np.random.default_rng(5)
    n_repeats, n_claims = 1500, 0
    for _ in range(n_repeats):
        shared = rng.standard_normal(6)
        baseline, arm = (
            shared + (rng.gumbel(size=6) if skewed else rng.standard_normal(6)) for _ in range(2)
        )
        n_claims += verdict_of(list(arm - baseline)) != "not shown"
    assert n_claims / n_repeats <= 0.05


def test_a_family_of_arms_without_effect_yields_a_claim_in_at_most_one_of_twenty():
    rng = np.random.default_rng(6)
    n_repeats, n_false = 500, 0
    for _ in range(n_repeats):
        baseline = rng.standard_normal(8)
        arms = [pair(dict(enumerate(baseline)), dict(enumerate(rng.standard_normal(8)))) for _ in range(3)]
        adjusted = holm([arm.sign_flip.p for arm in arms])
        words = [
            judge(arm, p, 3 * smallest_p(8), "lower").word for arm, p in zip(arms, adjusted, strict=True)
        ]
        n_false += any(word != "not shown" for word in words)
    assert n_false / n_repeats <= 0.05


def test_a_large_difference_is_found():
    rng = np.random.default_rng(7)
    assert verdict_of(list(1 + 0.1 * rng.standard_normal(6))) == "worse"
