"""What may be said of runs that were looked at more than once, beyond who is claimed: sizes, intervals, equivalence."""

import numpy as np
import pytest

from flowvae.report.planned_looks import EARLY
from flowvae.statistics.joint import Look, joint_sign_flip
from flowvae.statistics.paired import pair, t_interval
from flowvae.statistics.spending import planned_looks
from flowvae.statistics.verdict import is_within

UNTIL = (6, 9, 12)


def ended(values):
    """How many seeds an ablation of one arm has in the end."""
    looks = []
    for look in planned_looks(UNTIL):
        seen = values[: look.n_seeds]
        low, high = t_interval(seen)
        [joint] = joint_sign_flip([dict(enumerate(map(float, seen)))], looks, look.level)
        if joint.p <= joint.level and not low <= 0 <= high:
            break
        looks.append(Look(frozenset(range(look.n_seeds)), look.level))
    return look.n_seeds


@pytest.mark.slow
def test_what_ends_early_looks_larger_than_it_is_as_the_page_says():
    rng = np.random.default_rng(0)
    kept, kept_early = [], []
    for effect in (0.5, 1.0, 1.5):
        inside, early, seen = [], [], []
        for _ in range(2000):
            values = rng.standard_normal(12) + effect
            values = values[: ended(values)]
            low, high = t_interval(values)
            inside.append(low <= effect <= high)
            early.append(len(values) < 12)
            seen.append(values.mean())
        inside, early, seen = map(np.array, (inside, early, seen))
        kept.append(inside.mean())
        kept_early.append(inside[early].mean())
        if effect == 1.0:
            assert f"looked like {seen[early].mean():.1f}" in EARLY
    assert 0.935 < min(kept) <= max(kept) < 0.965
    # Of 340 that ended early with the smallest difference, 89 % differ by less than 3.5 points from one time to the next.
    assert min(kept_early) == pytest.approx(0.89, abs=0.035)
    assert max(kept_early) == pytest.approx(0.96, abs=0.015)


def test_looks_together_call_a_worthwhile_difference_small_in_at_most_one_of_forty():
    rng = np.random.default_rng(1)
    differences = 2 + rng.standard_normal((1000, 12))

    def called_small(n_looks):
        """Of a true difference that is just worthwhile, each of the looks could say that it is less."""
        said = [any(is_within(pair_of(row[:n]), 2.0, n_looks) for n in UNTIL) for row in differences]
        return np.mean(said)

    assert called_small(len(UNTIL)) <= 0.025 + 2 * (0.025 * 0.975 / len(differences)) ** 0.5 < called_small(1)


def pair_of(values):
    seen = dict(enumerate(map(float, values)))
    return pair(dict.fromkeys(seen, 0.0), seen)
