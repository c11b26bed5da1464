"""Which sounds are on the page, side by side: the same clips, the same noise, the same seeds for every arm."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from flowvae.processes.dealt_out import dealt_out
from flowvae.report.clip_ranks import Rank, chosen, ranks, rows_by_number, unheard
from flowvae.report.number_format import plain, signed
from flowvae.report.reading import Folder
from flowvae.report.references import sounds_of
from flowvae.report.row_gains import gains, reference_peak
from flowvae.report.sounds import Clip, Gain, beyond_full_scale, read_clip, residual, sound_address
from flowvae.report.spectrograms import RANGE_DB, Levels, height_of, levels_db, picture_address, shades
from flowvae.report.written_sounds import Takes, has_sounds, priors, reconstructions, targets

MOST_CLIPS = 8
MOST_TAKES = 150  # so many a page has with 8 clips of 3 arms with 6 seeds; each takes time to draw
MOST_PRIOR = 3
MOST_BYTES = 18_000_000  # after base64; 3 arms of 6 seeds with 8 sounds of 0.4 s take half of it
ROUNDED_AWAY_DB = 0.05  # a gain is written in tenths of a decibel
ON_FIRST_SCREEN = 3
MOST_MEASURED = 6  # runs: more change little
PICTURE_BYTES = 28_000  # what the spectrograms of a sound and of its residual take, about


@frozen
class Take:
    """One playable sound."""

    seed: int | None
    sound: str
    picture: str
    residual: str
    """What the target has and an estimate has not, as a picture; empty where there is no target to subtract from."""
    gain: str
    obstacle: str
    duration_s: float


@frozen
class Cell:
    """One arm's takes of a clip, a take for each seed on the page."""

    arm: str
    takes: tuple[Take, ...]


@frozen
class Row:
    """One clip across the columns; `target` is None for samples from the prior.

    Where `is_levelled`, all sounds that name no obstacle have one loudness: the target is `lowered` by so much.
    """

    title: str
    target: Take | None
    cells: tuple[Cell, ...]
    beside: tuple[tuple[str, Take], ...]
    """The references by name: what was never trained."""
    lowered: str
    is_levelled: bool
    rank: str = ""
    """Where it stands in its class, in words."""


@frozen
class Listening:
    """The section as it stands on the page. `marks` are frequencies with their height on the axis."""

    rows: tuple[Row, ...] = ()
    prior_rows: tuple[Row, ...] = ()
    seeds: tuple[int, ...] = ()
    left_out_seeds: int = 0
    n_clips_found: int = 0
    top_db: float = 0.0
    bottom_db: float = 0.0
    unheard: str = ""
    """What of the worst, the median and the best of its classes was not written as audio."""
    marks: tuple[tuple[str, float], ...] = ()


def _targets(folder: Folder) -> dict[int, Path]:
    """The targets, which are the same for every run: those of the run that has most, the first of several."""
    found = [targets(run) for run in folder.runs]
    return max(found, key=len, default={})


def _seeds_by_use(folder: Folder) -> list[int]:
    """Seeds with sounds, those that most arms have first."""
    having = {
        seed: sum(run.seed == seed and has_sounds(run) for run in folder.runs) for seed in folder.plan.seeds
    }
    return sorted((seed for seed in having if having[seed]), key=lambda seed: -having[seed])


def _fit(
    each: int, folder: Folder, n_clips: int, n_priors: int, n_seeds: int, *, room: int
) -> tuple[int, int, int]:
    """As many clips and prior samples as fit with one seed, then as many seeds as fit with those."""
    n_arms, n_once = len(folder.plan.arms), 1 + len(folder.references)

    def size(clips: int, priors: int, seeds: int) -> int:
        return each * (n_once * clips + n_arms * seeds * (clips + priors) + ON_FIRST_SCREEN)

    choices = ((clips, priors) for priors in (n_priors, 0) for clips in range(n_clips, 0, -1))
    clips, priors = next((choice for choice in choices if size(*choice, 1) <= room), (1, 0))
    seeds = next((n for n in range(n_seeds, 1, -1) if size(clips, priors, n) <= room), 1)
    return clips, priors, seeds


def _bytes_of_each(clips: Sequence[Clip], made: Iterable[Path]) -> int:
    """What a sound with its pictures takes, by the largest of the targets and of what some arms made of them.

    How small a sound becomes depends on what it holds: a model that is not trained yet makes noise of everything.
    """
    return PICTURE_BYTES + max(
        len(sound_address(clip)) for clip in [*clips, *filter(None, map(read_clip, made))]
    )


@frozen
class _Found:
    """Which of the numbered sounds of every run is meant, and what it is called."""

    takes: Takes
    index: int
    title: str

    def clips(self, seeds: tuple[int, ...]) -> dict[tuple[str, int], Clip]:
        """The sound of each run that has one, by arm and seed."""
        paths = {key: found.get(self.index) for key, found in self.takes.items() if key[1] in seeds}
        return {key: clip for key, path in paths.items() if path and (clip := read_clip(path))}


class _Painter:
    """Turns clips into rows, all pictures on the scale that the targets set."""

    def __init__(self, folder: Folder, seeds: tuple[int, ...], references: list[Levels]) -> None:
        self.folder, self.seeds = folder, seeds
        loudest = max((float(levels.max()) for levels in references), default=0.0)
        self.top_db = 5 * math.ceil(loudest / 5)
        self.palette = shades()

    def row(self, found: _Found, target: Clip | None, reference_peak: float | None) -> Row:
        """A row at one loudness, that of its quietest sound; without a reference every sound is as loud as it came."""
        clips = found.clips(self.seeds)
        beside = {}
        if target is not None:
            paths = dict(sounds_of(self.folder, found.index))
            beside = {name: clip for name, path in paths.items() if (clip := read_clip(path))}
        heard = [*clips.values(), *beside.values(), *([target] if target else [])]
        gain_of = gains(heard, target, reference_peak)
        lowering = gain_of(target) if target else None
        cells = []
        for arm in self.folder.plan.arms:
            keys = [(arm.name, seed) for seed in self.folder.plan.seeds if (arm.name, seed) in clips]
            cells.append(
                Cell(
                    arm.name,
                    tuple(self._take(clips[key], key[1], gain_of(clips[key]), target) for key in keys),
                )
            )
        return Row(
            title=found.title,
            target=self._take(target, None, gain_of(target)) if target else None,
            cells=tuple(cells),
            beside=tuple(
                (name, self._take(clip, None, gain_of(clip), target)) for name, clip in beside.items()
            ),
            lowered=f"{plain(round(-lowering.db, 1), 2)} dB"
            if lowering and lowering.db <= -ROUNDED_AWAY_DB
            else "",
            is_levelled=reference_peak is not None,
        )

    def _take(self, clip: Clip, seed: int | None, gain: Gain, target: Clip | None = None) -> Take:
        left = residual(target, clip) if target else None
        return Take(
            seed=seed,
            sound=sound_address(clip, gain.factor),
            # The picture keeps the true level: a spectrogram that was made louder would hide a level error.
            picture=picture_address(levels_db(clip), self.top_db, self.palette),
            residual=picture_address(levels_db(left), self.top_db, self.palette) if left else "",
            gain=f"{signed(round(gain.db, 1), 2)} dB" if abs(gain.db) >= ROUNDED_AWAY_DB else "",
            obstacle=gain.obstacle or beyond_full_scale(clip.audio * gain.factor),
            duration_s=clip.duration_s,
        )


def _marks(rate: int) -> tuple[tuple[str, float], ...]:
    wanted = (("100 Hz", 100.0), ("1 kHz", 1e3), ("10 kHz", 1e4))
    return tuple((words, height_of(hz, rate)) for words, hz in wanted if hz < rate / 2)


def _for_all(takes: Takes, clips: Collection[int]) -> list[int]:
    """The clips that every arm with sounds has; all of them where there are none."""
    by_arm: dict[str, set[int]] = {}
    for (arm, _), sounds in takes.items():
        by_arm.setdefault(arm, set()).update(sounds)
    having = [numbers for numbers in by_arm.values() if numbers]
    shared = set(clips).intersection(*having)
    return sorted(shared or clips)


def _most(by_number: Mapping[int, Rank], n_takes: int) -> int:
    """As many clips as always have room; where runs are few, all that are the worst, the median or the best of a class."""
    n_ends = sum(bool(rank.end) for rank in by_number.values())
    return max(MOST_CLIPS, min(n_ends, MOST_TAKES // n_takes))


def _first(takes: Takes) -> list[Mapping[int, Path]]:
    """The sounds of some runs, by which the others are measured."""
    return [sounds for sounds in takes.values() if sounds][:MOST_MEASURED]


def listening(folder: Folder, room: int = MOST_BYTES) -> Listening:
    """The clips that the rule chooses, the first prior samples by their number, and the seeds that fit into so many bytes."""
    paths = _targets(folder)
    takes = {(run.arm, run.seed): reconstructions(run) for run in folder.runs}
    new = {(run.arm, run.seed): priors(run) for run in folder.runs}
    clips = {index: clip for index, path in paths.items() if (clip := read_clip(path))}
    ranked = _seeds_by_use(folder)
    prior_indices = sorted({i for sounds in new.values() for i in sounds})[:MOST_PRIOR]
    first = next(iter(clips.values()), None) or _first_prior(new)
    if first is None:
        return Listening()
    found, numbered = ranks(folder), rows_by_number(folder)
    by_number = {i: found[row] for i, row in numbered.items() if row in found}
    n_takes = sum(map(bool, takes.values())) + 1
    wanted = chosen(_for_all(takes, clips), by_number, _most(by_number, n_takes))
    made = [sounds.get(i) for sounds in _first(takes) for i in wanted]
    made += [path for sounds in _first(new) for path in sounds.values()]
    each = _bytes_of_each([first, *(clips[i] for i in wanted)], filter(None, made))
    n_clips, n_priors, n_seeds = _fit(each, folder, len(wanted), len(prior_indices), len(ranked), room=room)
    prior_indices = prior_indices[:n_priors]
    indices = chosen(wanted, by_number, n_clips)
    seeds = tuple(sorted(ranked[:n_seeds], key=folder.plan.seeds.index))
    painter = _Painter(folder, seeds, [levels_db(clips[index]) for index in indices])
    typical = reference_peak([clips[i] for i in indices])
    titles = {i: paths[i].stem.partition("-")[2] or f"clip {i}" for i in indices}
    painted = dealt_out(
        [
            *(
                partial(painter.row, _Found(takes, i, titles[i]), clips[i], reference_peak([clips[i]]))
                for i in indices
            ),
            *(partial(painter.row, _Found(new, i, f"sample {i}"), None, typical) for i in prior_indices),
        ]
    )
    rows, prior_rows = painted[: len(indices)], painted[len(indices) :]
    rank_words = [by_number[i].words if i in by_number else "" for i in indices]
    rows = [evolve(row, rank=words) for row, words in zip(rows, rank_words, strict=True)]
    return Listening(
        rows=tuple(rows),
        prior_rows=tuple(prior_rows),
        seeds=seeds,
        left_out_seeds=len(ranked) - len(seeds),
        n_clips_found=len(clips),
        top_db=painter.top_db,
        bottom_db=painter.top_db - RANGE_DB,
        unheard=unheard(found, numbered, indices),
        marks=_marks(first.rate),
    )


def _first_prior(new: Takes) -> Clip | None:
    paths = (path for sounds in new.values() for path in sounds.values())
    return next((clip for clip in map(read_clip, paths) if clip), None)
