"""Outlines that an earlier process has read, so that a short command need not read a hundred files again.

One file in the user's folder of caches. An outline counts as long as its module is, to the file system, the very file that was
read; where the file of outlines cannot be read or written, everything is read anew and nothing is said of it.
"""

import atexit
import binascii
import marshal
import os
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from flowvae.catalogue import outline
from flowvae.catalogue.caches import cache_file
from flowvae.catalogue.outline import Argument, Arguments, Definition, Outline

SETTLED_S = 2.0
"""The age from which a change would show in a file's times, however coarse the clock of its file system."""


class KeptOutlines:
    """Outlines by module, each with the stamp of the file that it was read from; without a file, for this process alone."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._reader = _stamp(Path(outline.__file__).stat())
        self._kept = self._read()
        self._new: dict[str, Any] = {}

    def find(self, key: str, state: os.stat_result) -> Outline | None:
        """The outline under a key, if it was read from a file in just this state."""
        stamp, plain = self._kept.get(key, (None, None))
        return _outline(plain) if stamp == _stamp(state) else None

    def add(self, key: str, state: os.stat_result, found: Outline) -> None:
        """Keeps an outline for later processes; the key ends with a space and the file."""
        if time.time() - max(state.st_mtime, state.st_ctime) < SETTLED_S:
            return  # a second change might leave no trace
        if not self._new:
            atexit.register(self._write)
        self._new[key] = (_stamp(state), _plain(found))

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError, EOFError, TypeError):
            data = self._file.read_bytes() if self._file else b""
            reader, kept = marshal.loads(data)  # noqa: S302 - as Python reads the bytecode beside a module
            if reader == self._reader and isinstance(kept, dict):
                return kept
        return {}

    def _write(self) -> None:
        if (
            self._file is None or sys.dont_write_bytecode
        ):  # who wants no bytecode written wants no outlines either
            return
        there = {key: row for key, row in self._kept.items() if Path(key.partition(" ")[2]).exists()}
        beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError, ValueError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_bytes(marshal.dumps((self._reader, {**there, **self._new})))
                beside.replace(self._file)  # in one step, so that nobody reads half of it
            finally:
                beside.unlink(missing_ok=True)


@cache
def kept_outlines() -> KeptOutlines:
    """Those of this user, this Python and this flowvae."""
    here = f"{sys.implementation.cache_tag}.{binascii.crc32(outline.__file__.encode()):08x}"
    return KeptOutlines(cache_file(f"outlines.{here}"))


def _stamp(state: os.stat_result) -> tuple[int, ...]:
    # Size and time of change alone are also those of a wheel's next version, where wheels are built reproducibly.
    return (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)


def _plain(found: Outline) -> Any:
    """Nothing but what marshal knows, which is no class."""
    definitions = [
        (*d[:3], d.arguments and _plain_arguments(d.arguments), *d[4:]) for d in found.definitions.values()
    ]
    return (definitions, found.imports, found.constants)


def _plain_arguments(said: Arguments) -> Any:
    return ([tuple(a) for a in said.leading], [tuple(a) for a in said.keys], said.is_open)


def _outline(plain: Any) -> Outline:
    definitions, imports, constants = plain
    return Outline({row[0]: _definition(row) for row in definitions}, imports, constants)


def _definition(row: Any) -> Definition:
    name, doc, bases, said, *rest = row
    return Definition(name, doc, bases, _arguments(*said) if said else None, *rest)


def _arguments(leading: Any, keys: Any, is_open: Any) -> Arguments:
    return Arguments(tuple(Argument(*a) for a in leading), tuple(Argument(*a) for a in keys), is_open)
