"""One writer a folder: a record lock, which the system frees the moment its owner dies."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowvae.errors import MachineError, RunFolderError, shown


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Holds the folder's lock; RunFolderError where another process does, unless told to wait for it."""
    path = folder / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise MachineError(
            f"{shown(folder)} cannot be written to: {error.strerror}", do="choose another --out"
        ) from error
    try:
        _acquire(handle, path, folder, wait=wait)
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, folder: Path, *, wait: bool) -> None:
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        try:
            owner = json.loads(path.read_text(encoding="utf-8"))
            who = f"process {owner['process']} on {owner['host']}"
        except (OSError, ValueError, KeyError):
            who = "another process"
        raise RunFolderError(
            f"{shown(folder)} is in use by {who}", do="wait for it, or choose another --out"
        ) from error
