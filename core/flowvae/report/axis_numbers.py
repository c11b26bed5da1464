"""The ticks of every axis in the numbers of the page: matplotlib's own writers set powers of ten in TeX."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, NullFormatter

from flowvae.report.number_format import beside_each_other, each_for_itself

FEW_DECADES = 1000  # below it, powers of ten alone leave an axis with one or two numbers
MOST_ACROSS = 5  # so many numbers of ten digits have room beside each other


class AxisNumbers(Formatter):
    """Writes all ticks of an axis at once: how many digits one needs depends on the others."""

    def __init__(self, write: Callable[[Sequence[float]], list[str]]) -> None:
        super().__init__()
        self.write = write

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.write([x])[0]

    def format_ticks(self, values: Iterable[float]) -> list[str]:
        """Every tick in words."""
        return self.write([float(value) for value in values])


def number_axes(axes: Any) -> None:
    """Numbers both axes of a panel, but for what has words of its own."""
    for axis in (axes.xaxis, axes.yaxis):
        scale = axis.get_scale()
        if axis.isDefault_majfmt:
            axis.set_major_formatter(AxisNumbers(beside_each_other if scale == "linear" else each_for_itself))
        axis.set_minor_formatter(NullFormatter())
        low, high = axis.get_view_interval()
        if scale == "log" and high < FEW_DECADES * low:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        if axis is axes.xaxis and isinstance(axis.get_major_locator(), MaxNLocator):
            axis.get_major_locator().set_params(nbins=MOST_ACROSS)
