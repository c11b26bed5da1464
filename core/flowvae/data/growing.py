"""An array on disk that grows row by row: nobody has to know how many there will be, or to hold more than one of them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from flowvae.errors import MachineError, shown
from flowvae.folder.files import made_anew


@define(eq=False)
class GrowingArray:
    """The rows of a float32 array, written as they come: in the end the file is, byte for byte, what np.save writes.

    The header says how many rows there are and is written again at the end; numpy leaves room in it for any number.
    """

    path: Path
    """What the file will be called, for messages."""
    file: IO[bytes]
    row_shape: tuple[int, ...]
    n_rows: int = 0
    _hash: Any = field(factory=hashlib.sha256)

    def append(self, row: NDArray[np.float32]) -> None:
        """One row more. Errors: ValueError where it has another shape, MachineError where it cannot be written."""
        if row.shape != self.row_shape:
            raise ValueError(f"a row of shape {list(row.shape)} in an array of rows {list(self.row_shape)}")
        values = np.ascontiguousarray(row, np.float32).data
        with _writing(self.path):
            self.file.write(values)
        self._hash.update(values)
        self.n_rows += 1

    def write_header(self) -> None:
        """Says at the file's beginning how many rows there are by now."""
        descr = np.lib.format.dtype_to_descr(np.dtype(np.float32))
        content = {"descr": descr, "fortran_order": False, "shape": (self.n_rows, *self.row_shape)}
        with _writing(self.path):
            self.file.seek(0)
            np.lib.format.write_array_header_1_0(self.file, content)
            self.file.flush()

    def digest(self) -> str:
        """SHA-256 over the values of all rows so far."""
        return str(self._hash.hexdigest())


@contextmanager
def growing_array(path: Path, row_shape: tuple[int, ...]) -> Iterator[GrowingArray]:
    """An array that takes its name once it is whole; where anything goes wrong, nothing of it is left."""
    draft = path.with_name(f".{path.name}")
    file = made_anew(draft)
    try:
        array = GrowingArray(path, file, row_shape)
        array.write_header()
        yield array
        array.write_header()
        file.close()
        draft.replace(path)
    except BaseException:
        with suppress(OSError):  # what could not be written is not to be flushed either
            file.close()
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"{shown(path)} could not be written: {error.strerror}", do="make room, or choose another --out"
        ) from error
