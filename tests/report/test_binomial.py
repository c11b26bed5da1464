"""The exact tests of answers, beside scipy's."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from flowvae.statistics.binomial import (
    fewest_to_show,
    holm,
    p_at_least,
    p_either_side,
    share_found,
    share_interval,
)

COUNTS = [(k, n) for n in (1, 5, 6, 16, 48) for k in range(n + 1)]


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_p_is_that_of_scipy(k, n):
    assert p_at_least(k, n) == pytest.approx(binomtest(k, n, alternative="greater").pvalue, rel=1e-12)
    assert p_either_side(k, n) == pytest.approx(binomtest(k, n).pvalue, rel=1e-12)


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_the_interval_is_that_of_scipy(k, n):
    theirs = binomtest(k, n).proportion_ci(method="exact")
    assert share_interval(k, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("n", range(1, 49))
def test_the_fewest_that_show_it_do_and_one_less_does_not(n):
    k = fewest_to_show(n)
    if n < 5:
        assert k is None
        assert share_found(n) is None
        return
    assert binom.sf(k - 1, n, 0.5) <= 0.05 < binom.sf(k - 2, n, 0.5)
    assert binom.sf(k - 1, n, share_found(n)) == pytest.approx(0.8)


def test_without_a_choice_nothing_is_shown():
    assert p_either_side(0, 0) == 1.0


def test_guessing_listeners_are_found_no_more_often_than_the_level_says():
    """Three guessing listeners with 16 questions each, Holm over the three: 20,000 times."""
    right = np.random.default_rng(0).binomial(16, 0.5, (20_000, 3))
    p = {k: p_at_least(k, 16) for k in range(17)}
    claims = sum(min(holm([p[int(k)] for k in row])) <= 0.05 for row in right)
    assert claims / len(right) < 0.05


def test_the_joint_p_keeps_the_order_and_is_never_below_the_p_alone():
    for ps in itertools.product([0.0, 0.01, 0.02, 0.5, 1.0], repeat=3):
        joint = holm(ps)
        assert all(alone <= together <= 1 for alone, together in zip(ps, joint, strict=True))
        assert [joint[i] for i in np.argsort(ps, kind="stable")] == sorted(joint)
    assert holm([]) == ()


def test_the_numbers_of_the_guide_are_these():
    guide = (Path(__file__).parents[2] / "docs" / "blind_listening.md").read_text(encoding="utf-8")
    rows = [
        tuple(map(int, row)) for row in re.findall(r"^\| (\d+) \| (\d+) \| (\d+) % \|$", guide, re.MULTILINE)
    ]
    assert len(rows) == 5
    assert rows == [(n, fewest_to_show(n), round(100 * share_found(n))) for n, _, _ in rows]
    assert binom.sf(fewest_to_show(16) - 1, 16, 2 / 3) < 0.5  # two in three, and mostly unfound
