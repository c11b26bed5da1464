"""The files that a recipe points to, kept in the folder of its ablation: a run finds them wherever the folder is moved."""

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from attrs import field, frozen

from flowvae.errors import MachineError, shown
from flowvae.recipe import Recipe
from flowvae.recipe.content import content_digest
from flowvae.recipe.writing import SayPath


@frozen
class KeptFiles:
    """Copies under the hash of their content, in FOLDER/files."""

    folder: Path
    digest: Callable[[Path], str] = field(factory=lambda: cache(content_digest), eq=False)
    """Reads a file once, however many runs point to it."""

    def keep(self, recipe: Recipe) -> None:
        """Copies what the recipe's paths point to, but for the sounds, which are kept as clips."""
        for path, value in recipe.leaves().items():
            for file in _paths(path, value):
                copy = self._copy_of(file)
                if not copy.exists():
                    _copy(file, copy, _link if path == "start.from" else shutil.copy2)

    def paths_from(self, place: Path) -> SayPath:
        """How a recipe that is written into a folder says its paths: relative to that folder."""

        def say(path: str, value: Path) -> str:
            if path.startswith("data."):
                return value.name  # read already: its name is for people
            return Path(os.path.relpath(self._copy_of(value), place)).as_posix()

        return say

    def _copy_of(self, file: Path) -> Path:
        return self.folder / "files" / self.digest(file)[:16] / file.name


def _paths(path: str, value: Any) -> list[Path]:
    values = value if isinstance(value, tuple) else (value,)
    return [v for v in values if isinstance(v, Path) and not path.startswith("data.")]


def _link(file: str, copy: str) -> None:
    """Weights are large, and a checkpoint is never written to once it is there: a second name for it will do."""
    try:
        os.link(file, copy)
    except OSError:  # another disk, or one without links
        shutil.copy2(file, copy)


def _copy(file: Path, copy: Path, copy_file: Callable[[str, str], object]) -> None:
    draft = copy.parent.with_name(f".{copy.parent.name}.tmp")
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        if file.is_dir():
            shutil.copytree(file, draft / file.name, copy_function=copy_file)
        else:
            shutil.copyfile(file, draft / file.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        (draft / file.name).rename(copy)
        draft.rmdir()
    except OSError as error:
        raise MachineError(
            f"{shown(file)} could not be copied to {shown(copy)}: {error.strerror}",
            do="make room on the disk",
        ) from error
