"""The search for the width that costs nearest to 1 of the baseline: few measurements, and the best of all widths."""

import pytest

from flowvae.probe.width_search import Cost, search

WIDTHS = range(1, 200)


def cost_of(width, n=1.0):
    """As weights grow with a width: what is outside, and convolutions that have it once and twice."""
    return (500 + 40 * width + 3 * width * width) / n


def measured(cost, takes=lambda _: True):
    asked = []

    def measure(width):
        assert width not in asked, "measured twice"
        asked.append(width)
        return Cost.exact(cost(width)) if takes(width) else None

    return measure, asked


def best(cost, takes=lambda _: True):
    return min(filter(takes, WIDTHS), key=lambda width: abs(cost(width) - 1))


@pytest.mark.parametrize("own", [1, 2, 5, 16, 60])
@pytest.mark.parametrize("baseline", [1, 3, 16, 33, 61])
def test_it_finds_the_nearest_of_all_widths_with_few_measurements(own, baseline):
    def cost(width):
        return cost_of(width, cost_of(baseline))

    measure, asked = measured(cost)
    found = search(own, measure)
    assert found.width == best(cost) == baseline
    assert found.cost.ratio == 1
    assert len(asked) <= 14


@pytest.mark.parametrize("step", [2, 4, 8])
def test_widths_that_are_refused_are_gone_past_and_told(step):
    def takes(width):
        return width % step == 0

    def cost(width):
        return cost_of(width, cost_of(29))

    measure, asked = measured(cost, takes)
    found = search(16, measure)
    assert found.width == best(cost, takes)
    assert found.refused == tuple(sorted(width for width in asked if width % step))
    assert found.refused


def test_an_own_width_that_is_refused_is_where_the_search_begins():
    measure, _ = measured(lambda width: cost_of(width, cost_of(20)), lambda width: width % 2 == 0)
    assert search(15, measure).width == 20


def test_where_all_widths_are_refused_there_is_none():
    measure, asked = measured(cost_of, lambda _: False)
    found = search(4, measure)
    assert found.width is None
    assert sorted(asked) == list(range(1, 9))


def test_a_width_that_decides_nothing_stays():
    measure, asked = measured(lambda _: 1.2)
    assert search(16, measure).width == 16
    assert len(asked) < 12


def test_an_arm_that_costs_the_same_is_measured_once():
    measure, asked = measured(lambda width: width / 16)
    assert search(16, measure).width == 16
    assert asked == [16]


def test_a_noisy_search_ends_where_the_baseline_cannot_be_told_apart():
    """Time hardly depends on a width where it is small: what is nearest of all would be a matter of chance."""
    asked = []

    def measure(width):
        asked.append(width)
        ratio = 1 + (width - 6) / 100
        return Cost(ratio, ratio - 0.03, ratio + 0.03)

    assert search(16, measure).width == 8
    assert asked == [16, 8]


def test_a_spread_that_holds_everything_proves_nothing():
    def measure(width):
        return Cost(width / 10, 0.5 * width / 10, 2 * width / 10)

    assert search(16, measure).width == 10
