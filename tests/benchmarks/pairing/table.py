"""What the runs of the study say, as pages of Markdown."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from benchmarks.pairing.runs import DONE, SCHEMES, place_of
from benchmarks.pairing.spread import Floats, Places, correlation, interval, of_pairs, of_strangers
from flowvae.folder.journal import read_journal

STREAMS = SCHEMES[0]
Pair = tuple[Floats, Floats]
"""The figures of both arms, seed by seed."""
SOUNDS = (10, 20, 40, 80)
HAIR = "baseline_redrawn"
"""The folder of the baseline whose rounding noise has a stream of its own."""


@frozen(eq=False)
class Study:
    """The figures of all runs that are there in both schemes and arms."""

    out: Path
    arms: tuple[str, str]
    schemes: tuple[str, ...]
    seeds: tuple[int, ...]

    @classmethod
    def of(cls, out: Path, arms: tuple[str, str], schemes: tuple[str, ...], n_seeds: int) -> "Study":
        """Seeds of which a run is missing are left out."""
        whole = [
            seed
            for seed in range(n_seeds)
            if all((place_of(out, scheme, arm, seed) / DONE).exists() for scheme in schemes for arm in arms)
        ]
        return cls(out, arms, schemes, tuple(whole))

    def journal(self, scheme: str, metric: str) -> dict[int, Pair]:
        """Step to the figures of both arms, seed by seed."""
        found: dict[int, list[list[float]]] = {}
        for side, arm in enumerate(self.arms):
            for seed in self.seeds:
                for row in read_journal(place_of(self.out, scheme, arm, seed))[0]:
                    if row.phase == "validation":
                        value = row.figures[f"metric/{metric}"]
                        found.setdefault(row.step, [[], []])[side].append(np.nan if value is None else value)
        return {step: (np.array(one), np.array(other)) for step, (one, other) in found.items()}

    def measured(self, weights: str, metric: str, sounds: int | None = None) -> Pair:
        """The figures of both arms with streams, of some weights; of the first sounds alone where a number is given."""
        return tuple(  # type: ignore[return-value]
            np.array([self._value(arm, seed, weights, metric, sounds) for seed in self.seeds])
            for arm in self.arms
        )

    def _value(self, arm: str, seed: int, weights: str, metric: str, sounds: int | None) -> float:
        text = (place_of(self.out, STREAMS, arm, seed) / DONE).read_text(encoding="utf-8")
        figure = json.loads(text)[weights][metric]
        return float(figure["value"] if sounds is None else np.median(figure["per_sound"][:sounds]))


def spreads(study: Study, metrics: Sequence[str]) -> Iterator[str]:
    """The spread of the paired difference at the end, and how much larger its variance is where no seed meets itself."""
    cells = (f"{scheme}: {said}" for scheme in study.schemes for said in ("mean, sd", "strangers / pairs"))
    versus = " / ".join(f"pairs of {scheme}" for scheme in reversed(study.schemes))
    yield from header("metric", *cells, *([versus] if len(study.schemes) > 1 else []))
    for metric in metrics:
        last = [list(study.journal(scheme, metric).values())[-1] for scheme in study.schemes]
        spans = interval(lambda places, last=last: ratios(last, places), len(study.seeds))
        found = ratios(last, np.arange(len(study.seeds)))
        told = [
            f"{ratio:.2f} ({low:.2f} to {high:.2f})" for ratio, (low, high) in zip(found, spans, strict=True)
        ]
        sizes = [f"{np.mean(b - a):+.3g}, {of_pairs(a, b) ** 0.5:.3g}" for a, b in last]
        yield line(
            metric, *(cell for pair in zip(sizes, told, strict=False) for cell in pair), *told[len(last) :]
        )


def ratios(last: Sequence[Pair], places: Places) -> Floats:
    """For each scheme the variance among strangers to that of pairs; then, of two schemes, the second's pairs to the first's."""
    paired = [of_pairs(one[places], other[places]) for one, other in last]
    apart = [of_strangers(one[places], other[places]) for one, other in last]
    found = [lone / own for lone, own in zip(apart, paired, strict=True)]
    return np.stack(found + ([paired[1] / paired[0]] if len(last) > 1 else []))


def correlations(study: Study, metrics: Sequence[str]) -> Iterator[str]:
    """What the arms have in common over the seeds, at each validation."""
    steps = [*study.journal(STREAMS, metrics[0])]
    yield from header("metric", "scheme", *(f"step {step}" for step in steps))
    for metric in metrics:
        for scheme in study.schemes:
            found = study.journal(scheme, metric)
            yield line(metric, scheme, *(f"{correlation(*found[step]):+.2f}" for step in steps))


def by_itself(study: Study, metrics: Sequence[str]) -> Iterator[str]:
    """The baseline beside itself: nothing differs but the noise in the sixteenth bit of the sounds."""
    alone = Study.of(study.out, (study.arms[0], HAIR), (STREAMS,), max(study.seeds) + 1)
    if not alone.seeds:
        return
    steps = [*study.journal(STREAMS, metrics[0])]
    yield from header("metric", *(f"step {step}" for step in steps), "sd at the end", "sd of the two arms")
    for metric in metrics:
        found, other = alone.journal(STREAMS, metric), study.journal(STREAMS, metric)
        sds = (of_pairs(*pairs[steps[-1]]) ** 0.5 for pairs in (found, other))
        told = (f"{correlation(*found[step]):+.2f}" for step in steps)
        yield line(metric, *told, *(f"{sd:.3g}" for sd in sds))


def remedies(study: Study, metrics: Sequence[str]) -> Iterator[str]:
    """What makes the paired difference steadier: how the figure of a run is made."""
    yield from header("figure of a run", *(f"{m}: mean, sd, mean / sd, correlation" for m in metrics))
    ways: dict[str, Mapping[str, Pair]] = {}
    for weights in ("last weights", "averaged weights", "mean of two snapshots", "mean of three snapshots"):
        ways[weights] = {m: study.measured(weights, m) for m in metrics}
    for last in (2, 3):
        ways[f"mean of the last {last} validations"] = {m: _late(study, m, last) for m in metrics}
    for sounds in SOUNDS:
        ways[f"averaged weights, {sounds} sounds"] = {
            m: study.measured("averaged weights", m, sounds) for m in metrics
        }
    for way, found in ways.items():
        yield line(way, *(_told(*pair) for pair in found.values()))


def _late(study: Study, metric: str, last: int) -> Pair:
    pairs = list(study.journal(STREAMS, metric).values())[-last:]
    one, other = (np.mean([pair[side] for pair in pairs], axis=0) for side in (0, 1))
    return one, other


def _told(one: Floats, other: Floats) -> str:
    mean, sd = float(np.mean(other - one)), of_pairs(one, other) ** 0.5
    return f"{mean:+.3g}, {sd:.3g}, {abs(mean) / sd if sd else 0:.1f}, {correlation(one, other):+.2f}"


def header(*cells: str) -> Iterator[str]:
    """The two lines above the rows of a table."""
    yield line(*cells)
    yield "|" + " --- |" * len(cells)


def line(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"
