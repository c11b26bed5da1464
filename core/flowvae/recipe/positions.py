"""Finds where each value of a TOML text stands: tomli reads the values but does not say.

The text is known to be valid when it comes here, so the scanner only has to follow the grammar, not to check it.
"""

import re
from typing import NamedTuple

from attrs import Factory, define

KeyPath = tuple[str | int, ...]


class Span(NamedTuple):
    """Offsets of a key and of its value in the text."""

    key: tuple[int, int]
    value: tuple[int, int]


def spans(text: str) -> dict[KeyPath, Span]:
    """Key path to span, for tables, values, elements of arrays.

    >>> spans("c = [10, {d = 2}]")["c", 1, "d"].value
    (14, 15)
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRINGS = (
    re.compile(r'"""(?:\\.|[^\\])*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:\\.|[^"\\])*"'),
    re.compile(r"'[^']*'"),
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}


@define(eq=False, repr=False)
class _Scanner:
    text: str
    at: int = 0
    found: dict[KeyPath, Span] = Factory(dict)
    arrays: dict[KeyPath, int] = Factory(dict)

    def document(self) -> None:
        table: KeyPath = ()
        while self._blank() < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        keys, _ = self._key()
        self.at = self.text.index("]]" if many else "]", self.at) + (2 if many else 1)
        path = self._enter((), keys[:-1])
        path = (*path, keys[-1])
        if many:
            self.arrays[path] = self.arrays.get(path, -1) + 1
            self.found.setdefault(path, Span((start, self.at), (start, self.at)))
            path = (*path, self.arrays[path])
        else:
            path = self._enter(path[:-1], keys[-1:])
        self.found[path] = Span((start, self.at), (start, self.at))
        return path

    def _enter(self, path: KeyPath, keys: list[str]) -> KeyPath:
        """Follows keys from a table; through an array of tables the last element is meant."""
        for key in keys:
            path = (*path, key)
            if path in self.arrays:
                path = (*path, self.arrays[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        keys, key_span = self._key()
        self._space()
        self.at += 1  # the equals sign
        self._space()
        path = (*table, *keys)
        for depth in range(1, len(keys)):
            self.found.setdefault((*table, *keys[:depth]), Span(key_span, key_span))
        self._value(path, key_span)

    def _key(self) -> tuple[list[str], tuple[int, int]]:
        self._space()
        start = self.at
        keys = [self._key_part()]
        end = self.at
        while self._space() and self.text.startswith(".", self.at):
            self.at += 1
            self._space()
            keys.append(self._key_part())
            end = self.at
        self.at = end
        return keys, (start, end)

    def _key_part(self) -> str:
        for pattern in _STRINGS[2:]:
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                body = match[0][1:-1]
                return _unescape(body) if match[0][0] == '"' else body
        match = _BARE_KEY.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return match[0]

    def _value(self, path: KeyPath, key_span: tuple[int, int]) -> None:
        start = self.at
        if self.text.startswith("[", start):
            self._array(path)
        elif self.text.startswith("{", start):
            self._inline_table(path)
        else:
            self._scalar()
        self.found[path] = Span(key_span, (start, self.at))

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        index = 0
        while not self.text.startswith("]", self._blank()):
            start = self.at
            self._value((*path, index), (start, start + 1))
            index += 1
            if self.text.startswith(",", self._blank()):
                self.at += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while not self.text.startswith("}", self._blank()):
            self._pair(path)
            if self.text.startswith(",", self._blank()):
                self.at += 1
        self.at += 1

    def _scalar(self) -> None:
        for pattern in _STRINGS:
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                return
        match = _SCALAR.match(self.text, self.at)
        assert match is not None
        self.at += len(match[0].rstrip())

    def _blank(self) -> int:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def _space(self) -> bool:
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return True


def _unescape(body: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1]
        return chr(int(code[1:], 16)) if code[0] in "uU" and len(code) > 1 else _ESCAPED[code]

    return _ESCAPE.sub(one, body)
