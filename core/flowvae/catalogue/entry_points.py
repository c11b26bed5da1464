"""Entry points of what is installed, read from their files alone.

importlib.metadata finds the same, and a test holds the two together; importing and asking it takes longer than the rest
of a short command. It is still asked where distributions may lie elsewhere than in folders of the search path.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from attrs import frozen

_OBJECT = re.compile(r"([\w.]+)\s*(?::\s*([\w.]+)\s*)?(?:(\[.*\])\s*)?")


@frozen(eq=False)
class EntryPoint:
    """A line of an `entry_points.txt`, and whose it is."""

    name: str
    value: str
    """What it points to: "package.module:object [extras]", of which the module alone must be there."""
    distribution: str
    version: str

    @property
    def module(self) -> str:
        """The module that it points to; nothing where the value is no such text."""
        return self._parts()[0]

    @property
    def extras(self) -> list[str]:
        """The words in brackets."""
        return re.findall(r"\w+", self._parts()[2])

    def load(self) -> Any:
        """The module, or the object in it."""
        module, dotted, _ = self._parts()
        if not module:
            raise ValueError(f'its entry point "{self.value}" is not of the form "package.module:object"')
        found = import_module(module)
        for name in filter(None, dotted.split(".")):
            found = getattr(found, name)
        return found

    def _parts(self) -> tuple[str, str, str]:
        match = _OBJECT.fullmatch(self.value)
        return (match[1], match[2] or "", match[3] or "") if match else ("", "", "")


def entry_points(group: str) -> list[EntryPoint]:
    """The entry points of a group; of two installations of one name, those of the first on the search path."""
    if _lie_elsewhere():
        return _asked(group)
    found: list[EntryPoint] = []
    passed = set[str]()
    for folder in _metadata_folders():
        name = re.sub(r"[-_.]+", "_", folder.stem.partition("-")[0]).lower()
        if name not in passed:
            passed.add(name)
            found += _read(folder, group)
    return found


def _lie_elsewhere() -> bool:
    """Whether there may be distributions in archives, in eggs, or with a finder of somebody else's."""
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    return finders != [PathFinder] or any(e.endswith(".egg") or Path(e).is_file() for e in sys.path)


def _asked(group: str) -> list[EntryPoint]:
    from importlib import metadata  # noqa: PLC0415 - see above

    return [
        EntryPoint(e.name, e.value, e.dist.name if e.dist else "unknown", e.dist.version if e.dist else "0")
        for e in metadata.entry_points(group=group)
    ]


def _metadata_folders() -> Iterator[Path]:
    """What pip, and setuptools before it, write beside what they install."""
    for entry in sys.path:
        with suppress(OSError), os.scandir(entry or ".") as inside:
            yield from (Path(i.path) for i in inside if i.name.lower().endswith((".dist-info", ".egg-info")))


def _read(folder: Path, group: str) -> Iterator[EntryPoint]:
    points, section = _text(folder / "entry_points.txt"), ""
    if f"[{group}]" not in points:
        return
    text = _text(folder / "METADATA") or _text(folder / "PKG-INFO")
    # Two lines of its head: reading all of it as a message takes longer than importing the plugin.
    head = dict(line.split(": ", 1) for line in text.partition("\n\n")[0].splitlines() if ": " in line)
    for line in map(str.strip, points.splitlines()):
        name, equals, value = line.partition("=")
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif section == group and equals and not line.startswith("#"):
            owner = head.get("Name", "unknown"), head.get("Version", "0")
            yield EntryPoint(name.strip(), value.strip(), *owner)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
