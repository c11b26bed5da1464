"""Files that are there whole or not at all: written beside, flushed, renamed.

A folder may come from a stranger: files are made anew and never through a link, and what is no regular file is not read.
"""

import json
import math
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from flowvae.errors import CheckpointError, MachineError, RunFolderError, shown


def write_bytes(path: Path, data: bytes) -> None:
    """Replaces a file in one step."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with made_anew(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> MachineError:
    """What a disk that refuses a file is told as."""
    return MachineError(
        f"{shown(path)} could not be written: {error.strerror}", do="make room, or choose another --out"
    )


def made_anew(path: Path) -> IO[bytes]:
    """A new file to write to: whatever had its name is gone, be it a link, and what a link points to is as it was."""
    path.unlink(missing_ok=True)
    return path.open("xb")


def drop_unless_regular(path: Path) -> None:
    """Removes a link or a pipe that has the name of a file which is to be appended to."""
    if path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir()):
        path.unlink()


def read_regular(path: Path, most: int | None = None) -> bytes:
    """What a regular file holds. Errors: OSError where it is none, or longer than `most` bytes."""
    # A pipe would be waited for.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is no regular file")
        if most is not None and found.st_size > most:
            raise OSError(0, f"it has {found.st_size} bytes, not {most}")
        return file.read()


def refuse_links(folders: Iterable[Path]) -> None:
    """RunFolderError where one of the folders that flowvae makes is a link: what is written there would land elsewhere."""
    for folder in folders:
        if folder.is_symlink():
            raise RunFolderError(
                f"{shown(folder)} is a link, and flowvae makes none: it would write outside its folder",
                do="remove the link, or choose another --out; the folder that --out names may be one",
            )


def write_json(path: Path, content: Any) -> None:
    """Replaces a JSON file in one step; a number that is not finite becomes null."""
    write_bytes(path, as_json(content))


def as_json(content: Any) -> bytes:
    """What a JSON file holds; a number that is not finite becomes null."""
    return (json.dumps(finite(content), indent=1, ensure_ascii=False) + "\n").encode()


def read_record(path: Path) -> dict[str, Any]:
    """A JSON table that flowvae wrote; CheckpointError where it is no such thing any more."""
    content = None
    try:
        content = json.loads(read_regular(path))
        problem = "it holds no table"
    except (OSError, ValueError, RecursionError) as error:
        problem = (getattr(error, "strerror", None) or str(error))[:80] or type(error).__name__
    if isinstance(content, dict):
        return content
    raise CheckpointError(
        f"{shown(path)} cannot be read ({problem})", do="restore it from a backup, or choose another --out"
    )


@contextmanager
def trusting(path: Path) -> Iterator[None]:
    """Turns what goes wrong with the content of a record into CheckpointError: somebody has changed it."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        what = f"{shown(path)} does not hold what flowvae wrote ({type(error).__name__}: {str(error)[:80]})"
        raise CheckpointError(what, do="restore it from a backup, or choose another --out") from error


def sync_folder(folder: Path) -> None:
    """Flushes the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def finite(content: Any) -> Any:
    """The same content with null for NaN and infinities, which JSON does not know."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content
