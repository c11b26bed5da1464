"""The classes of files, from a table beside them."""

import csv
import difflib
import io
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flowvae.contracts import Refused
from flowvae_components.audio_files.listing import in_plain_words
from flowvae_components.audio_files.opening import contents

_COLUMNS = ("file", "class")
_MOST_FAULTS = 3


def read_classes(table: Path, names: Iterable[str]) -> Mapping[str, str]:
    r"""The class of each file that a table names; files of which it says nothing are not in the answer.

    Formula: a CSV file in UTF-8 whose header has the columns file and class; other columns are passed over. A file is
        named as it lies below the folder, with forward slashes. Classes count in small letters, without blanks around
        them. An empty cell says nothing.
    Shapes: the names of all files that are there -> name to class.
    Units: none.
    Parameters:
        table: the CSV file.
        names: of the files that are there.
    Source: own; RFC 4180 for what a row may hold.

    Raises Refused for what does not fit, with the table's name and the line.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "classes.csv").write_text("file,class\nkit/01.wav,Kick\n")
    ...     read_classes(Path(folder, "classes.csv"), ["kit/01.wav", "kit/02.wav"])
    {'kit/01.wav': 'kick'}
    """
    rows = list(_rows(table))
    known = {unicodedata.normalize("NFC", name): name for name in names}
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults = []
    for line, cell, kind in rows:
        name = known.get(unicodedata.normalize("NFC", cell))
        if name is None:
            near = difflib.get_close_matches(cell, known, 1)
            meant = f'; did you mean "{near[0]}"?' if near else ""
            faults.append(f'line {line}: there is no file "{cell}"{meant}')
        elif name in lines:
            faults.append(f'line {line}: "{cell}" has a class from line {lines[name]}')
        elif not kind.isprintable():
            faults.append(f"line {line}: the class holds characters that cannot be shown")
        else:
            lines[name] = line
            found |= {name: kind} if kind else {}
    if faults:
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise _refused(table, f"{'; '.join(faults[:_MOST_FAULTS])}{more}")
    return found


def _rows(table: Path) -> Iterator[tuple[int, str, str]]:
    """Line, file and class of each row that is not empty."""
    reader = csv.reader(io.StringIO(_text(table), newline=""), strict=True)
    try:
        header = [" ".join(cell.split()).lower() for cell in next(reader, [])]
        for column in _COLUMNS:
            if header.count(column) != 1:
                what = "there are two columns" if column in header else "there is no column"
                columns = ", ".join(header) or "none"
                raise _refused(table, f'line 1: {what} "{column}"; the columns are: {columns}')
        at_file, at_class = map(header.index, _COLUMNS)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(at_file, at_class):
                raise _refused(table, f"line {reader.line_num}: {len(row)} cells under {len(header)} columns")
            yield reader.line_num, row[at_file].strip(), " ".join(row[at_class].split()).lower()
    except csv.Error as error:
        raise _refused(table, f"line {reader.line_num}: this is no CSV: {error}") from None


def _text(table: Path) -> str:
    try:
        content = contents(os.fsencode(table.expanduser()))
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise _refused(table, "there is no such file" if missing else in_plain_words(error)) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(table, f"line {line}: this is not UTF-8: byte 0x{content[error.start]:02x}") from None


def _refused(table: Path, what: str) -> Refused:
    return Refused("classes", f"{table.name}, {what}" if what.startswith("line") else f"{table.name}: {what}")
