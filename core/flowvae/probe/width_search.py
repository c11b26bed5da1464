"""The whole number at which something costs as much as something else, from few measurements."""

from collections.abc import Callable
from itertools import islice

from attrs import Factory, define, frozen

from flowvae.folder.matched import NEAR

DOUBLINGS = 6
"""How often a width is doubled until it costs more: 64 times as wide, where convolutions have 4096 times the weights."""
MOST_TRIED = 64
"""Widths that are tried around one that is refused; networks that want multiples of more than that are not known."""


@frozen
class Cost:
    """As a multiple of the baseline's."""

    ratio: float
    least: float
    """Of several measurements; the ratio itself where it is counted."""
    most: float

    @property
    def is_even(self) -> bool:
        """Whether it cannot be told from the baseline's: a measurement that is nearer would be nearer by chance."""
        return self.least <= 1 <= self.most and abs(self.ratio - 1) <= NEAR

    @classmethod
    def exact(cls, ratio: float) -> "Cost":
        """What is counted has no spread."""
        return cls(ratio, ratio, ratio)


@frozen
class Found:
    """The width that costs nearest to the baseline, with its cost; None where all were refused."""

    width: int | None
    cost: Cost
    refused: tuple[int, ...]
    """Those on the way that could not be built."""


Measure = Callable[[int], Cost | None]
"""From a width to its cost; None where the width is refused."""


def search(own: int, measure: Measure) -> Found:
    """Brackets the baseline's cost by halving or doubling, then bisects; a refused width gives way to its neighbours.

    >>> search(16, lambda width: Cost.exact(width**2 / 10**2)).width
    10
    """
    seen = _Seen(measure)
    start = seen.accepted(own, 0, 2 * own + 1)
    if start is not None:
        low, high = _bracket(seen, start)
        while high is not None and not seen.is_found:
            middle = seen.accepted((low + high) // 2, low, high)
            if middle is None:
                break
            low, high = (low, middle) if seen.ratio(middle) > 1 else (middle, high)
    return seen.best(own)


def _bracket(seen: "_Seen", start: int) -> tuple[int, int | None]:
    """A width that costs no more than the baseline, or 0, and one that costs more, or None."""
    low, high = 0, start
    while seen.ratio(high) > 1 and not seen.is_found:
        lower = seen.accepted(high // 2, 0, high)
        if lower is None or seen.ratio(lower) <= 1:
            return lower or low, high
        high = lower
    low = start
    for _ in range(DOUBLINGS if seen.ratio(start) < 1 else 0):
        higher = None if seen.is_found else seen.accepted(2 * low, low, 4 * low)
        if higher is None or seen.ratio(higher) > 1:
            return low, higher
        low = higher
    return low, None


@define
class _Seen:
    measure: Measure
    costs: dict[int, Cost | None] = Factory(dict)

    def accepted(self, wanted: int, low: int, high: int) -> int | None:
        """The width nearest to one that can be built, strictly between two others."""
        nearest = sorted(range(low + 1, high), key=lambda width: (abs(width - wanted), width))
        return next((width for width in islice(nearest, MOST_TRIED) if self._cost(width)), None)

    @property
    def is_found(self) -> bool:
        """Whether one cannot be told from the baseline."""
        return any(cost is not None and cost.is_even for cost in self.costs.values())

    def ratio(self, width: int) -> float:
        """The cost of one that could be built."""
        cost = self.costs[width]
        return cost.ratio if cost else 0.0

    def best(self, own: int) -> Found:
        """Of all that were measured; between equals, the one nearer to what the recipe says."""
        refused = tuple(sorted(width for width, cost in self.costs.items() if cost is None))
        costs = {width: cost for width, cost in self.costs.items() if cost is not None}
        if not costs:
            return Found(None, Cost.exact(0.0), refused)
        even = [one for one, cost in costs.items() if cost.is_even]
        width = min(even or costs, key=lambda one: (abs(costs[one].ratio - 1), abs(one - own)))
        return Found(width, costs[width], refused)

    def _cost(self, width: int) -> Cost | None:
        if width not in self.costs:
            self.costs[width] = self.measure(width)
        return self.costs[width]
