"""One writer a folder: a lock of the system, which it frees the moment the owner dies."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from flowvae.errors import MachineError, RunFolderError, shown


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Holds the folder's lock; RunFolderError where another process does, unless told to wait for it."""
    path = folder / "lock"
    # The file stays where it is: with it would go the inode that others wait for, and a lock that is a mere file
    # would outlive an owner that was killed.
    lock = FileLock(path, mode=0o600, blocking=wait, preserve_lock_file=True, on_acquired=_sign)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunFolderError(
            f"{shown(folder)} is in use by {_owner(path)}", do="wait for it, or choose another --out"
        ) from error
    except OSError as error:
        verb = "locked" if path.exists() and os.access(path, os.W_OK) else "written to"
        raise MachineError(
            f"{shown(folder)} cannot be {verb}: {error.strerror}",
            do="choose another --out, on a disk of this machine",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _sign(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode())


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['process']} on {owner['host']}"
    except (OSError, ValueError, KeyError):
        return "another process"
