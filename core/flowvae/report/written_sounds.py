"""Where the sounds of a run lie, by their number: those of its last validation, and those of after the last step."""

from collections.abc import Mapping
from pathlib import Path

from flowvae.folder.sound_names import FINAL
from flowvae.report.reading import Run
from flowvae.report.sound_files import PRIOR, RECONSTRUCTION, STEP, numbered

Takes = Mapping[tuple[str, int], Mapping[int, Path]]
"""The sounds of each run, by arm and seed, by their number."""


def targets(run: Run) -> dict[int, Path]:
    """What it was to reconstruct."""
    audio = run.folder / "audio"
    return numbered(audio / FINAL / "target", RECONSTRUCTION) | numbered(audio / "target", RECONSTRUCTION)


def reconstructions(run: Run) -> dict[int, Path]:
    """What the last validation made of them; the rest is there once the run has ended."""
    further = numbered(run.folder / "audio" / FINAL, RECONSTRUCTION)
    return further | numbered(_last_step(run), RECONSTRUCTION)


def priors(run: Run) -> dict[int, Path]:
    """New sounds of the last validation."""
    return numbered(_last_step(run), PRIOR)


def has_sounds(run: Run) -> bool:
    """Whether a validation has left any."""
    return _last_step(run).is_dir()


def _last_step(run: Run) -> Path:
    steps = numbered(run.folder / "audio", STEP)
    return steps[max(steps)] if steps else run.folder / "audio" / "none"
