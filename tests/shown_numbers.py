"""The tables of a page as a reader sees them, and whether a number that is written there, or in a file, is another."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

LETTERS = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
NUMBER = re.compile(r"([+-]?)(\d+(?:\.(\d+))?)(?:e(-?\d+))?([kMGT]?)%?")


@dataclass
class Cell:
    """What stands in a cell, and what stands small below it, line by line."""

    main: str = ""
    small: str = ""


@dataclass
class Table:
    """The words of the head, and the rows of cells."""

    header: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Collects the tables of each section."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[Table]] = {}
        self.section, self.inside = "", ""
        self.cell: Cell | None = None
        self.is_small = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.section = dict(attrs).get("id") or ""
        elif tag == "table" and self.section:
            self.tables.setdefault(self.section, []).append(Table())
        elif tag in {"thead", "tbody"}:
            self.inside = tag
        elif tag == "tr" and self.inside == "tbody" and self.section:
            self.tables[self.section][-1].rows.append([])
        elif tag in {"td", "th"} and self.inside and self.section:
            self.cell, self.is_small = Cell(), False
        elif tag == "small":
            self.is_small = True
            if self.cell is not None and self.cell.small:
                self.cell.small += "\n"

    def handle_data(self, data: str) -> None:
        if self.cell is not None and self.is_small:
            self.cell.small += data
        elif self.cell is not None:
            self.cell.main += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "small":
            self.is_small = False
        elif tag in {"td", "th"} and self.cell is not None:
            table = self.tables[self.section][-1]
            cell = Cell(self.cell.main.strip(), self.cell.small.strip())
            if self.inside == "thead":
                table.header.append(cell.main)
            else:
                table.rows[-1].append(cell)
            self.cell = None
        elif tag == "table":
            self.inside = ""


def shown_tables(page: str) -> dict[str, list[Table]]:
    """The tables of each section by its id."""
    reader = _Reader()
    reader.feed(page)
    return reader.tables


def by_arm(table: Table, n_arms: int) -> Iterator[tuple[str, list[Cell]]]:
    """What a table says of a metric, class or group, an arm a cell; with many arms each of them is a row."""
    if table.header[0] == "arm":
        for i, name in enumerate(table.header[1:], 1):
            yield name, [row[i] for row in table.rows[:n_arms]]
        return
    first = 2 if table.header[1] == "sounds" else 1
    for row in table.rows:
        yield row[0].main, row[first : first + n_arms]


def ends(text: str) -> list[str]:
    """Both ends of an interval."""
    return text.split(" to ") if " to " in text else []


def shows(text: str, value: float | None) -> bool:
    """Whether the text is this value, rounded to the digits that it has."""
    if value is None:
        return text in {"", "\N{EN DASH}"}
    words = text.replace("\N{MINUS SIGN}", "-").replace("\N{NARROW NO-BREAK SPACE}", "")
    if words.startswith("<"):
        return value < float(words[1:])
    found = NUMBER.fullmatch(words.replace("\N{PLUS-MINUS SIGN}", ""))
    if found is None:
        return False
    sign, number, decimals, power, letter = found.groups()
    scale = 10.0 ** int(power or 0) * LETTERS.get(letter, 1.0)
    told = (-1.0 if sign == "-" else 1.0) * float(number) * scale
    half = 0.5 * 10.0 ** -len(decimals or "") * scale
    return abs(told - value) <= half * (1 + 1e-6)


class Check:
    """Holds numbers against each other; remembers how many, and which differ."""

    def __init__(self) -> None:
        self.count = 0
        self.wrong: list[str] = []

    def same(self, where: str, told: Any, mine: Any) -> None:
        """A number in full, a word, or a table or list of them."""
        if isinstance(mine, Mapping):
            for key in mine.keys() | told.keys():
                self.same(f"{where}.{key}", told.get(key), mine.get(key))
        elif isinstance(mine, list | tuple):
            for i, (one, other) in enumerate(itertools.zip_longest(told or [], mine)):
                self.same(f"{where}[{i}]", one, other)
        else:
            self.count += 1
            is_near = told == mine or (
                isinstance(told, int | float)
                and isinstance(mine, int | float)
                and math.isclose(told, mine, rel_tol=1e-8, abs_tol=1e-11)
            )
            if not is_near:
                self.wrong.append(f"{where}: {told}, recomputed {mine}")

    def shown(self, where: str, text: str, mine: float | None) -> None:
        """A number as the page rounds it."""
        self.count += 1
        if not shows(text, mine):
            self.wrong.append(f"{where}: the page shows {text!r}, recomputed {mine}")
