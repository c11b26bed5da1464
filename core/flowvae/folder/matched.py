"""The width at which an arm costs what the baseline does: what was asked of a process, and what it found."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from flowvae.folder.record import Record

What = Literal["parameters", "multiply_adds", "seconds"]
NEAR = 0.05
"""How far from the baseline an arm may cost what it does and still be said to cost the same."""
WORDS: Mapping[str, str] = {
    "parameters": "weights",
    "multiply_adds": "multiply-adds",
    "seconds": "processor time a step",
}


@frozen
class Matched:
    """The width of one arm, and how near its cost comes."""

    key: str
    """What it was found for: the arm as its recipe says it, the baseline, the width and the cost."""
    path: str
    width: int
    own: int
    """What the recipe says, or the component by default."""
    what: What
    ratio: float
    """What it costs as a multiple of the baseline's cost."""
    least: float
    """Of several measurements, the lower quartile; the ratio itself where the cost is counted."""
    most: float
    refused: tuple[int, ...] = ()
    """Widths that were tried and could not be built."""

    @property
    def is_near(self) -> bool:
        """Whether it costs the same, within 5 %."""
        return abs(self.ratio - 1) <= NEAR

    @property
    def said(self) -> str:
        """The width and how near it comes.

        >>> Matched("", "model.decoder.width", 14, 16, "parameters", 1.008, 1.008, 1.008, (15,)).said
        'model.decoder.width 14 instead of 16: 0.8 % more weights than the baseline (refused: 15)'
        """
        instead = f" instead of {self.own}" if self.width != self.own else ", as it was"
        text = f"{self.path} {self.width}{instead}: {self._difference()}"
        if self.least != self.most:
            text += f" (quartiles {100 * (self.least - 1):+.1f} and {100 * (self.most - 1):+.1f} %)"
        if self.refused:
            text += f" (refused: {', '.join(map(str, self.refused))})"
        return text if self.is_near else f"{text}; no width comes within {100 * NEAR:.0f} %"

    def _difference(self) -> str:
        cost, percent = WORDS[self.what], 100 * abs(self.ratio - 1)
        if self.ratio == 1:
            return f"the same {cost} as the baseline"
        more = "more" if self.ratio > 1 else "less" if self.what == "seconds" else "fewer"
        return f"{percent:.1f} % {more} {cost} than the baseline"


@frozen
class Matching(Record):
    """What the process that matches is asked, and what it answers; the arms lie beside it as recipes."""

    file: ClassVar[str] = "matching.json"

    by: str
    what: What
    baseline: str
    asked: Mapping[str, str]
    """The arms whose widths are sought, each with the key of what is found for it."""
    plugins: tuple[str, ...]
    found: Mapping[str, Matched] = field(factory=dict)
