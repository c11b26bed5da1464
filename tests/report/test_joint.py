"""Several arms in one family, and several looks: against SciPy, a second implementation, and simulated ablations."""

import itertools

import numpy as np
import pytest
from scipy import stats

from flowvae.statistics.joint import Look, joint_sign_flip
from flowvae.statistics.level import LEVEL, smallest_p
from flowvae.statistics.spending import planned_looks

N_ABLATIONS = 2000


def by_seed(*arms):
    return [dict(enumerate(map(float, arm))) for arm in arms]


def claims(joints):
    return [joint.p <= joint.level for joint in joints]


def second_implementation(differences):
    """Max-T step-down by SciPy's t of every pattern of signs, one at a time."""
    table = np.array(differences)
    patterns = [np.array(signs) for signs in itertools.product([1, -1], repeat=table.shape[1])]
    t = np.array([np.abs(stats.ttest_1samp(table * signs, 0, axis=1).statistic) for signs in patterns])
    order = np.argsort(-t[0])
    adjusted, before = np.empty(len(table)), 0.0
    for rank, arm in enumerate(order):
        largest = t[:, order[rank:]].max(axis=1)
        before = max(before, np.mean(largest >= t[0, arm] * (1 - 1e-9)))
        adjusted[arm] = before
    return adjusted


@pytest.mark.parametrize(("n_arms", "n_seeds"), [(1, 5), (2, 6), (3, 7), (5, 6)])
def test_p_is_that_of_a_second_implementation(n_arms, n_seeds):
    for seed in range(5):
        rng = np.random.default_rng([n_arms, seed])
        table = rng.standard_normal((n_arms, n_seeds)) + rng.standard_normal(n_seeds) + 0.7
        found = [joint.p for joint in joint_sign_flip(by_seed(*table))]
        assert found == pytest.approx(second_implementation(table), abs=1e-12)


@pytest.mark.parametrize("n", [4, 7, 10])
def test_p_of_one_arm_is_scipys_exact_permutation_test(n):
    values = np.random.default_rng(n).standard_normal(n) + 0.4
    expected = stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert joint_sign_flip(by_seed(values))[0].p == pytest.approx(expected, rel=1e-12)


def test_six_seeds_can_show_one_of_eight_arms():
    rng = np.random.default_rng(0)
    clear, *others = joint_sign_flip(by_seed(5 + rng.standard_normal(6), *rng.standard_normal((7, 6))))
    assert clear.p == smallest_p(6) == clear.reachable <= LEVEL
    assert not any(claims(others))


def test_five_seeds_can_show_nothing():
    [arm] = joint_sign_flip(by_seed([1, 1.1, 0.9, 1.2, 0.8]))
    assert arm.reachable > arm.level


def test_an_arm_that_lacks_seeds_is_tested_with_those_that_it_has():
    full, part = {seed: 1 + 0.1 * seed for seed in range(7)}, {seed: 1 + 0.1 * seed for seed in range(6)}
    assert claims(joint_sign_flip([full, part])) == [True, True]
    assert joint_sign_flip([part])[0].p == smallest_p(6)
    # One that has a seed of its own says nothing by it.
    assert joint_sign_flip([part, {9: 5.0}])[0].p == smallest_p(6)


def test_differences_of_one_number_and_of_nothing_have_a_p():
    same, nothing, single = joint_sign_flip(
        [dict.fromkeys(range(6), 0.1), dict.fromkeys(range(6), 0.0), {0: 3.0}]
    )
    assert same.p == smallest_p(6)
    assert nothing.p == single.p == 1.0


def test_beyond_sixteen_seeds_patterns_are_sampled_and_the_same_each_time():
    table = np.random.default_rng(0).standard_normal((2, 20)) + 0.4
    first = joint_sign_flip(by_seed(*table))
    assert first == joint_sign_flip(by_seed(*table))
    assert not first[0].exact
    assert joint_sign_flip(by_seed(*table[:, :16]))[0].exact
    assert first[0].p == pytest.approx(stats.ttest_1samp(table[0], 0).pvalue, abs=0.05)


@pytest.mark.parametrize("n_arms", [2, 4])
def test_arms_without_effect_are_claimed_in_at_most_one_of_twenty_ablations(n_arms):
    rng = np.random.default_rng(n_arms)
    false = 0
    for _ in range(N_ABLATIONS):
        baseline = rng.standard_normal(6)  # what the arms have in common
        false += any(claims(joint_sign_flip(by_seed(*(rng.standard_normal((n_arms, 6)) - baseline)))))
    assert 0.01 < false / N_ABLATIONS <= LEVEL + 2 * (LEVEL * (1 - LEVEL) / N_ABLATIONS) ** 0.5


@pytest.mark.parametrize(("n_arms", "least"), [(2, 0.70), (4, 0.55), (8, 0.40)])
def test_an_effect_of_two_deviations_is_found_with_six_seeds(n_arms, least):
    """Power that a correction of single tests does not have at all: 2 / 2^6 times 2 is above 0.05."""
    rng = np.random.default_rng(n_arms)
    found = 0
    for _ in range(300):
        differences = (rng.standard_normal((n_arms, 6)) - rng.standard_normal(6)) / np.sqrt(2)
        differences[0] += 2
        found += claims(joint_sign_flip(by_seed(*differences)))[0]
    assert found / 300 >= least


UNTIL = (6, 8, 10, 12)
UNPLANNED = (LEVEL, None, None, None)
BOUND = LEVEL + 2 * (LEVEL * (1 - LEVEL) / N_ABLATIONS) ** 0.5


def looked(table, until, levels):
    """Which arms are claimed by somebody who adds seeds until all are, or there are no more; and of how many seeds."""
    looks, claimed = [], set()
    for n, level in zip(until, levels, strict=True):
        now = claims(joint_sign_flip(by_seed(*table[:, :n]), looks, level))
        claimed |= {arm for arm, is_claimed in enumerate(now) if is_claimed}
        if len(claimed) == len(table):
            break
        looks.append(Look(frozenset(range(n)), level))
    return claimed, n


def ablations(n_arms, *, effect=0.0, n=N_ABLATIONS, key=0):
    """Differences of arms that have the baseline in common, (arms, seeds), in units of their spread."""
    rng = np.random.default_rng([n_arms, key])
    for _ in range(n):
        table = (rng.standard_normal((n_arms, 12)) - rng.standard_normal(12)) / np.sqrt(2)
        table[0] += effect
        yield table


def planned(until):
    return [look.level for look in planned_looks(until)]


@pytest.mark.slow
@pytest.mark.parametrize("n_arms", [1, 3])
def test_two_more_seeds_until_it_shows_claim_falsely_in_at_most_one_of_twenty(n_arms):
    spent = np.mean([bool(looked(table, UNTIL, UNPLANNED)[0]) for table in ablations(n_arms)])
    naive = np.mean(
        [
            any(any(claims(joint_sign_flip(by_seed(*table[:, :n])))) for n in UNTIL)
            for table in ablations(n_arms)
        ]
    )
    assert spent <= BOUND < naive


@pytest.mark.slow
@pytest.mark.parametrize("until", [(6, 9, 12), UNTIL], ids=str)
@pytest.mark.parametrize("n_arms", [1, 3])
def test_planned_looks_claim_falsely_in_at_most_one_of_twenty(n_arms, until):
    false = np.mean([bool(looked(table, until, planned(until))[0]) for table in ablations(n_arms)])
    assert 0.03 < false <= BOUND


@pytest.mark.slow
@pytest.mark.parametrize("effect", [1.0, 2.0])
def test_an_arm_with_an_effect_makes_no_false_claims_of_the_others(effect):
    until = (6, 9, 12)
    found = [looked(table, until, planned(until))[0] for table in ablations(3, effect=effect)]
    assert np.mean([0 in claimed for claimed in found]) > 0.6
    assert np.mean([bool(claimed - {0}) for claimed in found]) <= BOUND


@pytest.mark.slow
def test_planned_looks_find_nearly_as_much_as_one_at_the_end_with_fewer_seeds():
    until = (6, 9, 12)
    found, seeds = zip(
        *(looked(table, until, planned(until)) for table in ablations(1, effect=1.0)), strict=True
    )
    fixed = [looked(table, (12,), (LEVEL,))[0] for table in ablations(1, effect=1.0)]
    power, of_one_look = np.mean(list(map(len, found))), np.mean(list(map(len, fixed)))
    assert of_one_look - 0.05 < power < of_one_look
    assert np.mean(seeds) < 10.5


@pytest.mark.parametrize("levels", [planned(UNTIL), UNPLANNED], ids=["planned", "unplanned"])
def test_what_a_look_claimed_stands_and_what_it_did_not_is_left_to_the_next(levels):
    n_claims = 0
    for table in ablations(3, effect=1.5, n=60):
        looks, before = [], {}
        for n, level in zip(UNTIL, levels, strict=True):
            now = joint_sign_flip(by_seed(*table[:, :n]), looks, level)
            assert all(
                (now[arm].p, now[arm].level) == (joint.p, joint.level) for arm, joint in before.items()
            )
            before |= {arm: joint for arm, joint in enumerate(now) if joint.p <= joint.level}
            looks.append(Look(frozenset(range(n)), level))
        n_claims += len(before)
    assert n_claims > 40


def test_a_claim_stands_also_where_another_arm_is_larger_by_now():
    first = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0]
    early = [*first, 0.9, 1.0, -1.0, -1.1, 1.0, 0.9]
    late = [0.3, 0.5, -0.4, 0.6, -0.4, 0.5, 0.5, 0.4, 0.6, 0.5, 0.4, 0.5]
    looks = [Look(frozenset(range(8)), LEVEL)]
    by_eight = joint_sign_flip(by_seed(early[:8], late[:8]), (), LEVEL)
    assert claims(by_eight) == [True, False]
    by_twelve = joint_sign_flip(by_seed(early, late), looks, None)
    assert (by_twelve[0].p, claims(by_twelve)[0]) == (by_eight[0].p, True)
    assert joint_sign_flip(by_seed(early, late))[0].p > joint_sign_flip(by_seed(early, late))[1].p


def test_the_planned_level_is_never_more_than_can_be_claimed_by_whole_patterns():
    for until in itertools.combinations(range(3, 14), 3):
        looks = planned_looks(until)
        assert [look.level for look in looks] == sorted(look.level for look in looks)
        assert looks[-1].level == LEVEL
        assert looks[0].can_claim == (smallest_p(until[0]) <= looks[0].level)
    assert not planned_looks((6, 9, 12))[0].can_claim


def test_a_look_reaches_what_the_plan_says_that_it_can_reach():
    """The most that the differences of one arm can say: they never disagree, so that every look before has spent its share."""
    until = (6, 9, 12)
    rng = np.random.default_rng(0)
    values = 5 + rng.standard_normal(12)
    looks = []
    for look in planned_looks(until):
        [joint] = joint_sign_flip(by_seed(values[: look.n_seeds]), looks, look.level)
        assert joint.reachable <= look.reachable + 1e-12
        assert (joint.reachable <= joint.level) == look.can_claim
        looks.append(Look(frozenset(range(look.n_seeds)), look.level))


def test_a_claim_of_an_allowed_look_stands():
    values = [1.0, 1.1, 0.9, 1.2, 0.8, 1.0]
    first = Look(frozenset(range(6)), LEVEL)
    [later] = joint_sign_flip(by_seed([*values, -3.0, -3.1]), [first], None)
    assert later.p == smallest_p(6) <= later.level
    [fresh] = joint_sign_flip(by_seed([*values, -3.0, -3.1]))
    assert fresh.p > LEVEL


def test_a_look_that_may_spend_less_than_its_seeds_can_reach_says_so():
    [arm] = joint_sign_flip(by_seed([1.0, 1.1, 0.9, 1.2, 0.8, 1.0]), (), 0.025)
    assert (arm.reachable, arm.level) == (smallest_p(6), 0.025)
