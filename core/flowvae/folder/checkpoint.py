"""Checkpoints that are there whole or not at all, and never run code when they are read.

Commit: write into `.tmp-step-N`, flush every file, the manifest last, flush the folder, rename, flush the parent.
The newest checkpoint is the highest step whose manifest verifies, never the newest time. The manifest guards
against damage, not against forgery.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from flowvae.errors import CheckpointError, MachineError, shown
from flowvae.folder.files import sync_folder

FORMAT = 1
MANIFEST = "manifest.json"
TENSORS, STATE = "tensors.safetensors", "state.json"
"""The files of a run's checkpoint: its tensors, and everything else."""


@frozen
class Found:
    """The newest checkpoint that verifies, and those that did not."""

    step: int
    files: Mapping[str, bytes]
    damaged: tuple[str, ...]
    """`name: reason` of each newer checkpoint that was put aside."""


def commit(folder: Path, step: int, files: Mapping[str, bytes]) -> None:
    """Writes a checkpoint; afterwards it is there whole, or the folder is as it was."""
    temporary, final = folder / f".tmp-step-{step:09d}", folder / f"step-{step:09d}"
    manifest = {
        "format": FORMAT,
        "step": step,
        "files": {
            name: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for name, d in files.items()
        },
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for name, data in files.items():
            _write_flushed(temporary / name, data)
        _write_flushed(temporary / MANIFEST, json.dumps(manifest, indent=1).encode())
        sync_folder(temporary)
        if final.exists():
            _discard(final)
        temporary.rename(final)
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise MachineError(
            f"the checkpoint of step {step} could not be written: {error.strerror}",
            where=shown(folder),
            do="make room on the disk; earlier checkpoints are untouched",
        ) from error


def find_newest(folder: Path) -> Found | None:
    """The newest whole checkpoint, or None where there has never been one; CheckpointError where all are damaged."""
    sweep(folder)
    damaged: list[str] = []
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            files = read_verified(path)
        except CheckpointError as error:
            damaged.append(f"{path.name}: {error.what}")
            path.rename(path.with_name(f".bad-{path.name}"))
            continue
        return Found(int(path.name.removeprefix("step-")), files, tuple(damaged))
    damaged += [f"{path.name}: was put aside before" for path in sorted(folder.glob(".bad-step-*"))]
    if damaged:
        raise CheckpointError(
            "no usable checkpoint is left: " + "; ".join(damaged),
            where=shown(folder),
            do="restore a backup, or start over in another folder with --out",
        )
    return None


def newest_whole(folder: Path) -> dict[str, bytes] | None:
    """The files of the newest checkpoint that verifies; a reader puts nothing aside."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        try:
            return read_verified(path)
        except CheckpointError:
            continue
    return None


def read_verified(path: Path) -> dict[str, bytes]:
    """The files of one checkpoint, each of the size and with the hash that the manifest says."""
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        entries = dict(manifest["files"])
        version = int(manifest["format"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"its manifest cannot be read ({type(error).__name__})") from error
    if version > FORMAT:
        raise CheckpointError(f"format {version}; this flowvae reads up to {FORMAT}")
    strangers = {p.name for p in path.iterdir()} - {*entries, MANIFEST}
    if strangers:
        raise CheckpointError(f"it holds files that are not its own: {', '.join(sorted(strangers))}")
    return {name: _read_entry(path, name, entry) for name, entry in entries.items()}


def _read_entry(path: Path, name: str, entry: Mapping[str, object]) -> bytes:
    if Path(name).name != name:
        raise CheckpointError(f"its manifest names a path: {name}")
    try:
        data = (path / name).read_bytes()
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}") from error
    if len(data) != entry.get("size") or hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        raise CheckpointError(f"{name} is damaged")
    return data


def read_state(files: Mapping[str, bytes]) -> dict[str, object]:
    """What a checkpoint says beside its tensors."""
    try:
        return dict(json.loads(files[STATE]))
    except (KeyError, ValueError, TypeError) as error:
        what = f"the checkpoint cannot be read ({type(error).__name__}: {error})"
        raise CheckpointError(what) from error


def retain(folder: Path, keep: int) -> None:
    """Deletes all but the newest checkpoints."""
    for path in sorted(folder.glob("step-*"))[:-keep]:
        _discard(path)


def sweep(folder: Path) -> None:
    """Removes what an interrupted commit or deletion left."""
    for pattern in (".tmp-step-*", ".trash-step-*"):
        for path in folder.glob(pattern):
            shutil.rmtree(path, ignore_errors=True)


def _discard(path: Path) -> None:
    trash = path.with_name(f".trash-{path.name}")
    path.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)


def _write_flushed(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
