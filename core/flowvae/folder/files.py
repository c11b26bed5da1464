"""Files that are there whole or not at all: written beside, flushed, renamed."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flowvae.errors import CheckpointError, MachineError, shown


def write_bytes(path: Path, data: bytes) -> None:
    """Replaces a file in one step."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise MachineError(
            f"{shown(path)} could not be written: {error.strerror}", do="make room, or choose another --out"
        ) from error


def write_json(path: Path, content: Any) -> None:
    """Replaces a JSON file in one step; a number that is not finite becomes null."""
    write_bytes(path, as_json(content))


def as_json(content: Any) -> bytes:
    """What a JSON file holds; a number that is not finite becomes null."""
    return (json.dumps(finite(content), indent=1, ensure_ascii=False) + "\n").encode()


def read_record(path: Path) -> dict[str, Any]:
    """A JSON table that flowvae wrote; CheckpointError where it is no such thing any more."""
    problem, content = "it is no regular file", None
    if path.is_file():  # a pipe would be waited for
        try:
            content = json.loads(path.read_bytes())
            problem = "it holds no table"
        except (OSError, ValueError, RecursionError) as error:
            problem = str(error)[:80] or type(error).__name__
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
