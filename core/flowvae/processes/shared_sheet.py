"""A sheet of memory that a process shares with its copies: no descriptor leads to it, so nobody writes on it by chance."""

import mmap
import struct

_LENGTH = struct.Struct("<Q")


class SharedSheet:
    """One writes, at its end, texts one after the other; the other reads them, also when the writer is dead.

    >>> sheet = SharedSheet(4096)
    >>> sheet.add(b"one"), sheet.add(b"two"), sheet.read()
    (True, True, [b'one', b'two'])
    """

    def __init__(self, size: int) -> None:
        self._memory = mmap.mmap(-1, size)  # pages that nobody writes on cost nothing

    def add(self, text: bytes) -> bool:
        """Writes a text; False, and nothing is written, where there is no room left."""
        (used,) = _LENGTH.unpack_from(self._memory, 0)
        start = used or _LENGTH.size
        end = start + _LENGTH.size + len(text)
        if end > len(self._memory):
            return False
        self._memory[start:end] = _LENGTH.pack(len(text)) + text
        # Last, so that a writer that is ended in the middle of it has written nothing.
        _LENGTH.pack_into(self._memory, 0, end)
        return True

    def read(self) -> list[bytes]:
        """All texts that are whole."""
        (used,) = _LENGTH.unpack_from(self._memory, 0)
        texts, place = [], _LENGTH.size
        while place < used:
            (length,) = _LENGTH.unpack_from(self._memory, place)
            place += _LENGTH.size
            texts.append(self._memory[place : place + length])
            place += length
        return texts

    def erase(self) -> None:
        """Nothing is written on it any more."""
        _LENGTH.pack_into(self._memory, 0, 0)
