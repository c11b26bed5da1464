"""How numbers are written: few digits, a true minus sign, the unit beside them."""

import math
from collections.abc import Sequence
from itertools import pairwise

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"
SIZES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def plain(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, never in powers of ten between a thousandth and a million.

    >>> plain(0.012345), plain(1234.5), plain(123_456_789.0)
    ('0.0123', '1234', '1.23e8')
    """
    if value is None:
        return NOTHING
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size < 6:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(power)}".replace("-", MINUS)
    return f"{value:.{max(0, digits - 1 - size)}f}".replace("-", MINUS)


def whole(value: float | None) -> str:
    """A count with all its digits, in groups of three from five digits on; what is not whole as `plain`."""
    if value is None or value != int(value):
        return plain(value)
    return (
        (f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}").replace(",", THIN).replace("-", MINUS)
    )


def signed(value: float | None, digits: int = 3) -> str:
    """As `plain`, with a plus in front of what is above 0."""
    return f"+{plain(value, digits)}" if value is not None and value > 0 else plain(value, digits)


def with_unit(number: str, unit: str) -> str:
    """A written number and its unit, if it has one."""
    return f"{number}{THIN}{unit}" if unit and number != NOTHING else number


def span(interval: tuple[float, float] | None) -> str:
    """Both ends of an interval."""
    return f"{signed(interval[0])} to {signed(interval[1])}" if interval else NOTHING


def probability(p: float | None) -> str:
    """A p value with two digits, and a bound where it is very small.

    >>> probability(0.03125), probability(0.00002)
    ('0.031', '< 0.001')
    """
    if p is None:
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def percentage(share: float) -> str:
    r"""A share of a whole, never 0 or 100 unless it is.

    >>> percentage(0.393), percentage(0.002), percentage(0.999)
    ('39\u202f%', '0.2\u202f%', '99.9\u202f%')
    """
    digits = 0 if share in {0, 1} or 0.01 <= share <= 0.99 else 1
    return f"{100 * share:.{digits}f}{THIN}%"


def percent(part: float, of: float) -> str:
    r"""How much larger or smaller `part` is than `of`.

    >>> percent(110, 100)
    '+10\u202f%'
    """
    share = 100 * (part - of) / of
    written = f"{abs(share):.1f}".removesuffix(".0") if abs(share) < 10 else f"{abs(share):.0f}"
    sign = "±" if written == "0" else "+" if share > 0 else MINUS
    return f"{sign}{written}{THIN}%"


def large(value: float | None) -> str:
    r"""A count with a letter for thousands, millions and billions.

    >>> large(512345), large(999)
    ('512\u202fk', '999')
    """
    if value is None:
        return NOTHING
    for size, letter in SIZES:
        if abs(value) >= size:
            return f"{plain(value / size)}{THIN}{letter}"
    return whole(value)


def beside_each_other(values: Sequence[float]) -> list[str]:
    """The numbers along an axis: all with the same decimals, as many as the closest two need, and one power of ten.

    >>> beside_each_other([0.5, 0.75, 1.0]), beside_each_other([0.0, 2e9])
    (['0.50', '0.75', '1.00'], ['0', '2e9'])
    """
    top = max((abs(value) for value in values), default=0.0)
    power = math.floor(math.log10(top)) if top else 0
    power = 0 if -4 <= power < 6 else max(power, -300)
    scaled = [value / 10.0**power for value in values]
    gaps = [b - a for a, b in pairwise(sorted(scaled)) if b > a]
    # A hundredth of a gap: no eye sees the label beside its place by less.
    wrong_by = min(gaps, default=1.0) / 100
    decimals = next((d for d in range(15) if all(abs(round(v, d) - v) <= wrong_by for v in scaled)), 15)
    letters = f"e{power}" if power else ""
    written = (f"{v:.{decimals}f}{letters}" if round(v, decimals) else "0" for v in scaled)
    return [number.replace("-", MINUS) for number in written]


def beside_each_other_in_letters(values: Sequence[float]) -> list[str]:
    r"""The same for counts, with the letter for thousands, millions or billions that suits the largest.

    >>> beside_each_other_in_letters([2_500_000, 5_000_000])
    ['2.5\u202fM', '5.0\u202fM']
    """
    top = max((abs(value) for value in values), default=0.0)
    size, letter = next((pair for pair in SIZES if top >= pair[0]), (1.0, ""))
    written = beside_each_other([value / size for value in values])
    return [f"{number}{THIN}{letter}" if letter else number for number in written]


def each_for_itself(values: Sequence[float]) -> list[str]:
    """The numbers along an axis that multiplies: as few digits as each of them needs.

    >>> each_for_itself([1e-3, 0.02, 1.0, 5000.0, 1e9])
    ['0.001', '0.02', '1', '5000', '1e9']
    """
    written = []
    for value in values:
        digits = next((d for d in range(1, 16) if math.isclose(float(f"{value:.{d - 1}e}"), value)), 16)
        written.append(plain(value, digits))
    return written


def count(n: int, singular: str) -> str:
    """A number of things.

    >>> count(1, "seed"), count(2, "seed")
    ('1 seed', '2 seeds')
    """
    return f"{n} {singular}" if n == 1 else f"{n} {singular}s"
