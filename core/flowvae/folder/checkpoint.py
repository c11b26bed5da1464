"""Checkpoints that are there whole or not at all, and never run code when they are read.

Commit: write into `.tmp-step-N`, flush every file, the manifest last, flush the folder, rename, flush the parent.
The newest checkpoint is the highest step whose manifest verifies, never the newest time. The manifest guards
against damage, not against forgery.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from flowvae.errors import CheckpointError, MachineError, shown
from flowvae.folder.files import made_anew, read_regular, sync_folder

FORMAT = 1
N_DIGITS = 9
"""Of a step in the name of a folder."""
LARGEST = 1 << 30
"""Bytes of a manifest or of a state, beside the tensors: what is larger is none that flowvae wrote."""
MANIFEST = "manifest.json"
TENSORS, STATE = "tensors.safetensors", "state.json"
"""The files of a run's checkpoint: its tensors, and everything else."""


class ForeignError(CheckpointError):
    """A checkpoint of another recipe, or of a newer flowvae: older ones of its folder are no better."""


UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)
"""What content raises that somebody has changed."""


@frozen
class Found:
    """The newest checkpoint that verifies, and those that did not."""

    step: int
    files: Mapping[str, bytes]
    damaged: tuple[str, ...]
    """`name: reason` of each newer checkpoint that was put aside."""


def commit(folder: Path, step: int, files: Mapping[str, bytes]) -> None:
    """Writes a checkpoint; afterwards it is there whole, or the folder is as it was."""
    temporary, final = folder / f".tmp-step-{step:0{N_DIGITS}d}", folder / f"step-{step:0{N_DIGITS}d}"
    manifest = {
        "format": FORMAT,
        "step": step,
        "files": {
            name: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for name, d in files.items()
        },
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(folder, _size(files))
        _remove(temporary)
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


def refuse_small_disk(folder: Path, files: Mapping[str, bytes], at_a_time: int) -> None:
    """MachineError where there is no room for so many checkpoints: asked before the first step, not after the tenth hour."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(folder, at_a_time * _size(files))
    except OSError as error:
        raise MachineError(
            f"there is no room for {at_a_time} checkpoints: {error.strerror}",
            where=shown(folder),
            do="make room on the disk, or choose another --out",
        ) from error


def _size(files: Mapping[str, bytes]) -> int:
    return sum(map(len, files.values()))


def _check_room(folder: Path, needed: int) -> None:
    """Before anything is written: half a checkpoint would take the room that its removal has to give back."""
    usage = shutil.disk_usage(folder)
    if usage.total and usage.free < needed:  # some disks do not say what they hold
        raise OSError(errno.ENOSPC, f"it needs {needed / 1e6:.1f} MB, and {usage.free / 1e6:.1f} MB are free")


Take = Callable[[int, Mapping[str, bytes]], None]
"""Takes up a checkpoint of a step; CheckpointError where that cannot be done with it."""


def find_newest(folder: Path, take: Take | None = None) -> Found | None:
    """The newest whole checkpoint that can be taken up, or None where there has never been one.

    Errors: CheckpointError where none can; ForeignError as `take` raises it.
    """
    sweep(folder)
    damaged: list[str] = []
    refused: list[Path] = []  # put aside once an older one is taken: before that the fault may be another's
    for path in reversed(steps_in(folder)):
        step = int(path.name.removeprefix("step-"))
        try:
            files = read_verified(path)
        except ForeignError:
            raise
        except CheckpointError as error:
            damaged.append(f"{path.name}: {error.what}")
            _put_aside(path)
            continue
        try:
            if take is not None:
                take(step, files)
        except ForeignError:
            raise
        except CheckpointError as error:
            damaged.append(f"{path.name}: {error.what}")
            refused.append(path)
            continue
        for one in refused:
            _put_aside(one)
        return Found(step, files, tuple(damaged))
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
    for path in reversed(steps_in(folder)):
        try:
            return read_verified(path)
        except CheckpointError:
            continue
    return None


def steps_in(folder: Path) -> list[Path]:
    """The folders of checkpoints, the oldest first; verified or not."""
    return sorted(path for path in folder.glob("step-*") if step_of(path.name) is not None)


def step_of(name: str) -> int | None:
    """The step that the name of a folder says, as those of checkpoints and of sounds do.

    >>> step_of("step-000000010"), step_of("step-ten")
    (10, None)
    """
    digits = name.removeprefix("step-")
    return int(digits) if len(digits) == N_DIGITS and digits.isascii() and digits.isdigit() else None


def last_step(folder: Path) -> int:
    """The step of the newest checkpoint, 0 where there is none."""
    return max((step_of(path.name) or 0 for path in steps_in(folder)), default=0)


def read_verified(path: Path) -> dict[str, bytes]:
    """The files of one checkpoint, each of the size and with the hash that the manifest says."""
    try:
        manifest = json.loads(read_regular(path / MANIFEST, LARGEST))
        entries = {
            name: (int(entry["size"]), str(entry["sha256"])) for name, entry in manifest["files"].items()
        }
        version = int(manifest["format"])
    except (*UNREADABLE, OSError) as error:
        raise CheckpointError(f"its manifest cannot be read ({type(error).__name__})") from error
    if version > FORMAT:
        raise ForeignError(
            f"the checkpoint of {path.name} is of format {version}; this flowvae reads formats up to {FORMAT}",
            do="use the flowvae that wrote it (environment.json names it), or choose another --out",
        )
    strangers = {p.name for p in path.iterdir()} - {*entries, MANIFEST}
    if strangers:
        raise CheckpointError(f"it holds files that are not its own: {', '.join(sorted(strangers))}")
    return {name: _read_entry(path, name, *entry) for name, entry in entries.items()}


def _read_entry(path: Path, name: str, size: int, sha256: str) -> bytes:
    if Path(name).name != name:
        raise CheckpointError(f"its manifest names a path: {name}")
    try:
        data = read_regular(path / name, size)
    except OSError as error:
        raise CheckpointError(f"{name} cannot be read: {error.strerror}") from error
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
        raise CheckpointError(f"{name} is damaged")
    return data


def read_state(files: Mapping[str, bytes]) -> dict[str, object]:
    """What a checkpoint says beside its tensors."""
    try:
        return dict(json.loads(files[STATE]))
    except UNREADABLE as error:
        what = f"the checkpoint cannot be read ({type(error).__name__}: {error})"
        raise CheckpointError(what) from error


def retain(folder: Path, keep: int) -> None:
    """Deletes all but the newest checkpoints. What cannot be deleted now is tried again after the next save."""
    with suppress(OSError):
        for path in steps_in(folder)[:-keep]:
            _discard(path)


def sweep(folder: Path) -> None:
    """Removes what an interrupted commit or deletion left."""
    for pattern in (".tmp-step-*", ".trash-step-*"):
        for path in folder.glob(pattern):
            _remove(path)


def _discard(path: Path) -> None:
    trash = path.with_name(f".trash-{path.name}")
    _remove(trash)
    path.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)


def _put_aside(path: Path) -> None:
    aside = path.with_name(f".bad-{path.name}")
    _remove(aside)  # of an earlier damage to the same step
    path.rename(aside)


def _remove(path: Path) -> None:
    """A folder with all it holds; a link goes alone."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _write_flushed(path: Path, data: bytes) -> None:
    with made_anew(path) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
