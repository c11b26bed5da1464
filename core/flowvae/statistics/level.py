"""The level, and what a number of seeds can reach of it: arithmetic that needs no array."""

LEVEL = 0.05
EXACT_UP_TO = 16  # 65,536 sign patterns: a millisecond, and far below any p that matters
MONTE_CARLO_DRAWS = 100_000


def smallest_p(n_seeds: int) -> float:
    """The smallest two-sided sign-flip p that so many seeds can reach: all of one sign, or all of the other.

    >>> smallest_p(3), smallest_p(6)
    (0.25, 0.03125)
    """
    smallest = min(1.0, 2.0 / 2.0**n_seeds)
    return smallest if n_seeds <= EXACT_UP_TO else max(smallest, 1 / (MONTE_CARLO_DRAWS + 1))


def seeds_to_reach(level: float = LEVEL) -> int:
    """The number of seeds from which a sign-flip p can be as small as the level, of one arm or of many.

    >>> seeds_to_reach(), seeds_to_reach(0.01)
    (6, 8)
    """
    return next(n for n in range(1, 64) if 2.0 / 2.0**n <= level)
