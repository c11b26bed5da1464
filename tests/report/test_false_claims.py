"""How often whole ablations claim what is not there: folders of runs, as they are read and compared for the page."""

from collections import Counter

import numpy as np
import pytest

import pretended_runs
from flowvae.report.comparison import compare
from flowvae.report.reading import read_folder
from flowvae.statistics.paired import LEVEL
from pretended_runs import write_tree

NAMES = ("baseline", "one", "other")
N_SEEDS = 6
NOISE = {
    "normal": lambda rng, size: 3 + 0.1 * rng.standard_normal(size),
    # A distance cannot fall below 0, and now and then a run goes astray: the largest of a hundred is a dozen medians.
    "skewed": lambda rng, size: rng.lognormal(0.0, 1.0, size),
}


@pytest.fixture
def claims(tmp_path, monkeypatch):
    """What some ablations claim: `figures(rng)` gives those of one, arm by arm."""
    for unread in ("write_journal", "write_sounds", "write_codes"):
        monkeypatch.setattr(pretended_runs, unread, lambda *_: None)

    def claims(figures, n_ablations):
        rng = np.random.default_rng(0)
        found = []
        for _ in range(n_ablations):
            folder = write_tree(tmp_path / "ablation", figures(rng).tolist(), names=NAMES)
            found.append({c.arm.name: c.verdict.word for c in compare(read_folder(folder)) if c.is_claim})
        return found

    return claims


def alike(noise):
    """Arms that differ by chance alone, and seeds that all arms have in common."""

    def figures(rng):
        return NOISE[noise](rng, N_SEEDS) + NOISE[noise](rng, (len(NAMES), N_SEEDS))

    return figures


def bound(n_ablations):
    """What one of twenty is at most, but for chance of three standard errors."""
    return LEVEL + 3 * (LEVEL * (1 - LEVEL) / n_ablations) ** 0.5


@pytest.mark.parametrize("noise", NOISE)
def test_arms_that_are_alike_are_claimed_to_differ_in_few_ablations(claims, noise):
    found = claims(alike(noise), 40)
    assert sum(map(bool, found)) / 40 <= bound(40)


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISE)
def test_arms_that_are_alike_are_claimed_to_differ_in_at_most_one_of_twenty_ablations(claims, noise):
    found = claims(alike(noise), 2000)
    assert 0.01 < sum(map(bool, found)) / 2000 <= bound(2000)
    # Neither end is favoured, nor one of the arms.
    words = Counter(word for one in found for word in one.values())
    arms = Counter(arm for one in found for arm in one)
    assert min(words["better"], words["worse"]) > 0.3 * words.total()
    assert min(arms.values()) > 0.3 * arms.total()


@pytest.mark.parametrize("noise", NOISE)
def test_what_is_worse_in_every_seed_is_claimed_and_nothing_else(claims, noise):
    """The folders can say it: a simulation that never claimed would pass the tests above."""

    def figures(rng):
        baseline, one, _ = alike(noise)(rng)
        return np.array([baseline, one, 1.1 * baseline + 0.3 + 0.01 * rng.standard_normal(N_SEEDS)])

    found = claims(figures, 10)
    assert sum(one.get("other") == "worse" for one in found) >= 6
    assert not any(one.get("other") == "better" for one in found)
