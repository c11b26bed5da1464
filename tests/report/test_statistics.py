import math

import numpy as np
import pytest
from attrs import evolve
from scipy import stats

from flowvae.statistics.joint import joint_sign_flip
from flowvae.statistics.level import seeds_to_reach, smallest_p
from flowvae.statistics.paired import (
    detectable_difference,
    pair,
    paired_differences,
    seeds_needed,
    sign_flip,
    t_interval,
)
from flowvae.statistics.verdict import Word, judge


def judged(differences, direction="lower", worthwhile=None):
    paired = pair(dict.fromkeys(range(len(differences)), 0.0), dict(enumerate(differences)))
    [joint] = joint_sign_flip([dict(enumerate(differences))])
    return judge(paired, joint, direction, worthwhile)


def verdict_of(differences, direction="lower") -> Word:
    return judged(differences, direction).word


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


@pytest.mark.parametrize("level", [0.05, 0.02, 0.01])
def test_first_number_of_seeds_that_can_reach_a_level(level):
    n = seeds_to_reach(level)
    assert smallest_p(n) <= level < smallest_p(n - 1)


def test_three_seeds_never_yield_a_claim():
    rng = np.random.default_rng(0)
    for scale in (1e-9, 0.01, 1.0):
        assert verdict_of([1.0 + scale * x for x in rng.standard_normal(3)]) == "not shown"


def test_verdict_names_what_the_design_could_not_show():
    assert (
        judged([1.0, 1.1, 0.9]).reason
        == "3 seeds can reach p = 0.25 at best: this design could not have shown a difference"
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


def test_verdict_needs_the_p_too():
    # The interval excludes 0 by the most that seven seeds allow, and one seed of them is on the other side.
    up = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0, -0.3]
    assert t_interval(up)[0] > 0
    paired = pair(dict.fromkeys(range(7), 0.0), dict(enumerate(up)))
    [alone] = joint_sign_flip([dict(enumerate(up))])
    assert judge(paired, alone, "lower").word == "worse"
    assert judge(paired, evolve(alone, p=0.06), "lower").word == "not shown"


def test_a_difference_that_is_not_worth_it_is_said_to_be_small():
    close = [0.05, -0.04, 0.03, -0.05, 0.02, 0.01]
    assert judged(close, worthwhile=0.2).word == "equivalent"
    assert judged(close, worthwhile=0.03).word == "not shown"
    assert judged(close).word == "not shown"
    assert (
        judged(close[:3], worthwhile=0.5).word == "not shown"
    )  # three seeds show nothing, not even equality
    up = [0.1, 0.11, 0.09, 0.12, 0.08, 0.1]
    assert (judged(up, worthwhile=0.5).word, judged(up, worthwhile=0.5).is_small) == ("worse", True)
    assert not judged(up, worthwhile=0.11).is_small


def test_a_metric_without_a_good_end_can_be_equivalent_and_never_better():
    assert judged([1.0, 1.1, 0.9, 1.2, 0.8, 1.0], "none").word == "not shown"
    assert judged([0.05, -0.04, 0.03, -0.05, 0.02, 0.01], "none", 0.2).word == "equivalent"


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


def test_a_large_difference_is_found():
    rng = np.random.default_rng(7)
    assert verdict_of(list(1 + 0.1 * rng.standard_normal(6))) == "worse"
