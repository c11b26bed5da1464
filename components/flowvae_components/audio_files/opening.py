"""Files opened so that nothing in a folder can hold up whoever reads it."""

import os
import stat

MAX_BYTES = 256 << 20


def contents(path: bytes, n_bytes: int | None = None) -> bytes:
    """A regular file's bytes, or its first ones; it waits for no other process.

    Formula: all bytes of a file of at most 256 MB; n_bytes of a larger one.
    Shapes: none.
    Units: bytes.
    Source: own.

    Raises OSError for whatever is no regular file, is too large, or cannot be opened.

    >>> contents(b"/dev/null")
    Traceback (most recent call last):
    OSError: [Errno 0] no longer a file
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        # Checked on the open file: since the listing another may have taken its name.
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "no longer a file")
        if n_bytes is None and status.st_size > MAX_BYTES:
            raise OSError(0, f"too large: {status.st_size >> 20} MB, at most {MAX_BYTES >> 20} MB are read")
        return file.read(MAX_BYTES if n_bytes is None else n_bytes)
