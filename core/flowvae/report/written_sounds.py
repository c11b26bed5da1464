"""Where the sounds of a run lie, by their number: those of its last validation, and those of after the last step."""

import re
from collections.abc import Mapping
from pathlib import Path

from flowvae.folder.sound_names import FINAL
from flowvae.report.reading import Run

Takes = Mapping[tuple[str, int], Mapping[int, Path]]
"""The sounds of each run, by arm and seed, by their number."""
RECONSTRUCTION = re.compile(r"(\d+).*\.wav")
PRIOR = re.compile(r"prior-(\d+).*\.wav")
STEP = re.compile(r"step-(\d+)")


def targets(run: Run) -> dict[int, Path]:
    """What it was to reconstruct."""
    audio = run.folder / "audio"
    return _numbered(audio / FINAL / "target", RECONSTRUCTION) | _numbered(audio / "target", RECONSTRUCTION)


def reconstructions(run: Run) -> dict[int, Path]:
    """What the last validation made of them; the rest is there once the run has ended."""
    further = _numbered(run.folder / "audio" / FINAL, RECONSTRUCTION)
    return further | _numbered(_last_step(run), RECONSTRUCTION)


def priors(run: Run) -> dict[int, Path]:
    """New sounds of the last validation."""
    return _numbered(_last_step(run), PRIOR)


def has_sounds(run: Run) -> bool:
    """Whether a validation has left any."""
    return _last_step(run).is_dir()


def _last_step(run: Run) -> Path:
    steps = _numbered(run.folder / "audio", STEP)
    return steps[max(steps)] if steps else run.folder / "audio" / "none"


def _numbered(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return {}
    matches = ((pattern.fullmatch(file.name), file) for file in files)
    return {int(match[1]): file for match, file in matches if match}
