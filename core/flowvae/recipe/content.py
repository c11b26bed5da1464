"""What a path in a recipe points to, told by its content: where it lies on this machine decides nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def content_digest(path: Path) -> str:
    """A hash over a file's bytes, or over the manifest of a folder: the names in it with theirs."""
    import hashlib  # noqa: PLC0415 - loads OpenSSL, which takes 3 ms; few recipes point to a file

    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        manifest = [(file.relative_to(path).as_posix(), content_digest(file)) for file in files]
        return hashlib.sha256(json.dumps(manifest).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def by_content(value: Any, digest: Callable[[Path], str] = content_digest) -> Any:
    """A value whose paths stand for what they point to; `digest` may remember what it has read already.

    >>> by_content((1, "a"))
    (1, 'a')
    """
    if isinstance(value, tuple):
        return tuple(by_content(v, digest) for v in value)
    if not isinstance(value, Path):
        return value
    # What is gone is told where the recipe is checked; until then it equals nothing but itself.
    return f"content {digest(value)[:32]}" if is_there(value) else f"{value} (missing)"


def is_there(path: Path) -> bool:
    """Whether a path leads to anything; one that no system could hold does not."""
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False
