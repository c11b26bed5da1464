"""Types and values in the words of a recipe, and text that a terminal can take."""

import re
import unicodedata
from pathlib import Path
from typing import Any, Literal

import attrs

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = re.compile(r'[\x00-\x1f"\\\x7f]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    Path: "a path",
    type(None): "nothing",
    None: "nothing",
}


def type_name(kind: Any) -> str:
    """A type in the words of a recipe.

    >>> type_name(tuple[int, ...])
    'an array of whole numbers'
    >>> type_name(tuple[tuple[str, str], ...])
    'an array of arrays of 2 (a string, a string)'
    """
    if kind in _NAMES:
        return _NAMES[kind]
    origin = getattr(kind, "__origin__", None)
    arguments: tuple[Any, ...] = getattr(kind, "__args__", ())
    if origin is Literal:
        return "one of " + ", ".join(toml_like(a) for a in arguments)
    if origin in {tuple, list}:
        each = ", ".join(type_name(a) for a in arguments if a is not ...)
        is_fixed = origin is tuple and ... not in arguments
        return f"an array of {f'{len(arguments)} ({each})' if is_fixed else _plural(each)}"
    if attrs.has(kind):
        return f"a table of {', '.join(field.name for field in attrs.fields(kind))}"
    if arguments:
        return " or ".join(type_name(a) for a in arguments if a is not type(None))
    return str(kind)


def _plural(name: str) -> str:
    bare = name.removeprefix("a ").removeprefix("an ")
    if bare.startswith("array "):
        return f"arrays {bare.removeprefix('array ')}"
    return f"{bare}s" if name != bare else bare


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else toml_like(key)


def toml_like(value: Any) -> str:
    r"""A value as a recipe would write it, on one line.

    >>> print(toml_like(["kick\n", 'say "a\\b"']))
    ["kick\n", "say \"a\\b\""]
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{_ESCAPED.sub(_escape, value)}"'
        case list() | tuple():
            return "[" + ", ".join(toml_like(v) for v in value) + "]"
        case dict():
            return "{ " + ", ".join(f"{_key(k)} = {toml_like(v)}" for k, v in value.items()) + " }"
        case _:
            return str(value)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"


def width(character: str) -> int:
    """Columns of a terminal that a character takes."""
    if not character.isprintable():
        return len(printable(character))
    return (
        2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
    )


def shortened(text: str, most: int = 400) -> str:
    """A text that fits into a message."""
    return text if len(text) <= most else f"{text[:most]} ..."


def printable(text: str) -> str:
    """Text from outside, without the characters that would steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)
