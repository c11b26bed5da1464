"""Where each sound that can be heard stands among the held-out sounds of its class: the worst, the median, the best."""

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from flowvae.report.number_format import count
from flowvae.report.reading import Folder, Run

ENDS = ("median", "worst", "best")
"""What is heard first where not all sounds have room."""


@frozen
class Rank:
    """The place of a sound in its class, 1 for the best, by its mean figure over all arms and seeds."""

    kind: str
    """The class; "" where nothing says it."""
    place: int
    of: int

    @property
    def end(self) -> str:
        """Worst, median or best; nothing where it is none of them, or where nothing stands beside it."""
        # Of an even number the better one of the two in the middle.
        ends = {1: "best", self.of: "worst", (self.of + 1) // 2: "median"}
        return ends.get(self.place, "") if self.of > 2 else ""

    @property
    def words(self) -> str:
        """As it stands on the page.

        >>> Rank("kick", 9, 9).words, Rank("hat", 2, 7).words
        ('the worst of 9 kick sounds', 'place 2 of 7 hat sounds')
        """
        if self.of == 1:
            return f"the only {self.kind} sound".replace("  ", " ")
        whose = f"{self.of} {self.kind} sounds" if self.kind else count(self.of, "sound")
        return f"the {self.end} of {whose}" if self.end else f"place {self.place} of {whose}"


def ranks(folder: Folder) -> Mapping[int, Rank]:
    """The rank of each held-out sound by its row; none without a primary metric that has a good end and figures of sounds.

    Formula: the mean over the arms of the mean over an arm's seeds. A sound that has no figure in some run has no rank.
    """
    metric = folder.plan.primary
    runs = _alike(folder)
    if metric is None or metric.direction == "none" or not runs:
        return {}
    sign = 1.0 if metric.direction == "lower" else -1.0
    by_arm: dict[str, list[list[float]]] = {}
    for run in runs:
        figures = [np.nan if value is None else sign * value for value in run.per_sound(metric.name)]
        by_arm.setdefault(run.arm, []).append(figures)
    means = np.mean([np.mean(figures, axis=0) for figures in by_arm.values()], axis=0)
    by_class: dict[str, list[int]] = {}
    for row, kind in enumerate(_classes(runs[0])):
        if np.isfinite(means[row]):
            by_class.setdefault(kind, []).append(row)
    found: dict[int, Rank] = {}
    for kind, rows in by_class.items():
        ordered = sorted(rows, key=lambda row: means[row])
        found |= {row: Rank(kind, place, len(rows)) for place, row in enumerate(ordered, 1)}
    return found


def rows_by_number(folder: Folder) -> Mapping[int, int]:
    """The row of each sound that was written as audio, by its number; nothing where no run has told of it."""
    latents = next((run.latents for run in _alike(folder) if run.latents), None)
    if latents is None:
        return {}
    return {number: row for row, number in enumerate(latents.clips.tolist()) if number >= 0}


def chosen(numbers: Sequence[int], by_number: Mapping[int, Rank], most: int) -> list[int]:
    """At most so many of the numbered sounds, in their order: of each class in turn the median, the worst, the best.

    What has no rank, and what is none of the three, comes last, by its number.
    """
    if len(numbers) <= most:
        return list(numbers)
    kinds = list(dict.fromkeys(by_number[i].kind for i in numbers if i in by_number))

    def turn(number: int) -> tuple[int, int, int]:
        rank = by_number.get(number)
        if rank is None or not rank.end:
            return len(ENDS), 0, number
        return ENDS.index(rank.end), kinds.index(rank.kind), number

    return sorted(sorted(numbers, key=turn)[:most])


def unheard(found: Mapping[int, Rank], rows: Mapping[int, int], heard: Sequence[int]) -> str:
    """Of the classes that are heard, in words what was not written as audio of the worst, the median and the best."""
    written = set(rows.values())
    kinds = dict.fromkeys(found[rows[i]].kind for i in heard if rows.get(i) in found)
    said = []
    for kind in kinds:
        ends = {rank.end for row, rank in found.items() if rank.kind == kind and row not in written}
        missing = [end for end in ("worst", "median", "best") if end in ends]
        said += [f"{kind or 'what has no class'}: {', '.join(missing)}"] if missing else []
    return "; ".join(said)


def _alike(folder: Folder) -> list[Run]:
    """The runs with a figure for each sound, all of the same sounds in the same order."""
    metric = folder.plan.primary
    having = [run for run in folder.runs if metric and run.result and run.per_sound(metric.name)]
    first = having[0].result if having else None
    return [
        run
        for run in having
        if first and run.result and run.result.sounds == first.sounds
        if metric and len(run.per_sound(metric.name)) == len(first.sounds)
    ]


def _classes(run: Run) -> Sequence[str]:
    sounds, classes = (run.result.sounds, run.result.classes) if run.result else ((), ())
    return classes if len(classes) == len(sounds) else [""] * len(sounds)
