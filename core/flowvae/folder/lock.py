"""One writer a folder: a lock of the system, which it frees the moment the owner dies."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from flowvae.errors import MachineError, RunFolderError, shown
from flowvae.folder.files import drop_unless_regular, read_regular

LOOK_S = 0.2
"""How long a folder is asked for: who only looks whether it is in use has it for a moment."""


SIGNATURE = 4096
"""Bytes that the name of an owner has at most."""


@contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Holds the folder's lock; RunFolderError where another process does, unless told to wait for it."""
    path = folder / "lock"
    with suppress(OSError):  # the lock itself will tell
        drop_unless_regular(path)
    # The file stays where it is: with it would go the inode that others wait for, and a lock that is a mere file
    # would outlive an owner that was killed.
    timeout = -1 if wait else LOOK_S
    lock = FileLock(path, timeout, mode=0o600, preserve_lock_file=True, on_acquired=_sign)
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


def is_held(folder: Path) -> bool | None:
    """Whether a process that lives holds the folder's lock; None where that cannot be known from here.

    It asks for a share of the lock and gives it back at once: who waits for the lock does not notice.
    """
    try:
        import fcntl  # noqa: PLC0415 - only some systems have it

        handle = os.open(
            folder / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )  # a pipe would be waited for
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.close(handle)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return None
    # A lock that another machine holds on a shared disk may not be seen here, and a copy of a folder has none.
    return False if _signed(folder / "lock").get("host") == socket.gethostname() else None


def _sign(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode())


def _owner(path: Path) -> str:
    owner = _signed(path)
    return f"process {owner['process']} on {owner['host']}" if owner else "another process"


def _signed(path: Path) -> dict[str, object]:
    """Who had the lock last; nothing where nobody says so."""
    try:
        owner = json.loads(read_regular(path, SIGNATURE))
        return {"process": owner["process"], "host": owner["host"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
