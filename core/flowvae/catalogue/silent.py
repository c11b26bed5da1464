"""Plugins whose import did not come back: remembered until a file of theirs changes, so that they cost their time once."""

import json
import os
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from flowvae.catalogue.caches import cache_file
from flowvae.catalogue.entry_points import EntryPoint
from flowvae.catalogue.plugin import Plugin

MOST_FILES = 5000
"""Files of a package that are looked at."""

Stamp = list[list[object]]


class SilentPlugins:
    """Their names, each with the state of their files; without a file to keep them in, for this process alone."""

    def __init__(self, file: Path | None, *, are_asked: bool = False) -> None:
        self._file, self._are_asked = file, are_asked
        self._known = _read(file)

    @classmethod
    def of_this_user(cls, *, are_asked: bool = False) -> "SilentPlugins":
        """As earlier processes have found them; where they are asked all the same, what comes of it is kept."""
        return cls(cache_file("silent"), are_asked=are_asked)

    def knows(self, plugin: Plugin, entry: EntryPoint) -> bool:
        """Whether it was silent, and is still the same."""
        known = None if self._are_asked else self._known.get(_key(plugin, entry))
        return known is not None and known == _stamp(entry)

    def remember(self, plugin: Plugin, entry: EntryPoint) -> None:
        """It did not come back."""
        self._known[_key(plugin, entry)] = _stamp(entry)
        self._write()

    def forget(self, plugin: Plugin, entry: EntryPoint) -> None:
        """It has answered."""
        if self._known.pop(_key(plugin, entry), None) is not None:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_text(json.dumps(self._known), encoding="utf-8")
                beside.replace(self._file)
            finally:
                beside.unlink(missing_ok=True)


def _read(file: Path | None) -> dict[str, Stamp]:
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(file.read_bytes()) if file else {}
        if isinstance(found, dict):
            return found
    return {}


def _key(plugin: Plugin, entry: EntryPoint) -> str:
    return f"{plugin.distribution} {plugin.version} {plugin.name} {entry.value}"


def _stamp(entry: EntryPoint) -> Stamp:
    """Every file of the package that the entry point is in."""
    found = PathFinder.find_spec(entry.module.partition(".")[0]) if entry.module else None
    if found is None:
        return []
    places = [Path(place) for place in found.submodule_search_locations or ()]
    files = [Path(found.origin)] if found.origin else []
    for place in places:
        files += sorted(place.rglob("*.py"))[:MOST_FILES]
    stamp: Stamp = []
    for file in files:
        with suppress(OSError):
            state = file.stat()
            stamp.append([str(file), state.st_size, state.st_mtime_ns, state.st_ctime_ns])
    return stamp
