"""Strict values: TOML keeps booleans, whole numbers, numbers and strings apart, and so does a recipe.

A whole number may stand for a number, "none" for no value where none is allowed, and nothing else converts.
"""

import math
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from flowvae.text import toml_like, type_name

NONE = "none"


_ACCEPTED: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (float, int), str: (str,)}
"""A scalar to the types of TOML that may stand for it."""


def _scalar(value: Any, kind: Any) -> Any:
    if type(value) not in _ACCEPTED[kind]:
        raise TypeError(f"{toml_like(value)} is not {type_name(kind)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number")
    if isinstance(value, str) and (fault := not_text(value)):
        raise ValueError(f"{toml_like(value)} {fault}")
    return kind(value)


def not_text(text: str) -> str:
    """What is wrong with a text that no file in UTF-8 can hold; "" if nothing is.

    >>> not_text("kick"), not_text("kick" + chr(0xDCFF))[:29]
    ('', 'holds bytes that are no UTF-8')
    """
    if text.isprintable() or not any("\ud800" <= c <= "\udfff" for c in text):
        return ""
    return "holds bytes that are no UTF-8 text, and a recipe is: rename it, or make a link to it under another name"


def _path(value: Any) -> Path:
    if type(value) is not str or not value.strip() or "\0" in value:
        raise TypeError(f"{toml_like(value)} is not a path")
    return Path(value)


def _literal(value: Any, kind: Any) -> Any:
    for choice in get_args(kind):
        if type(choice) is type(value) and choice == value:
            return choice
    raise ValueError(f"{toml_like(value)} is not {type_name(kind)}")


def _union(value: Any, kind: Any) -> Any:
    choices = get_args(kind)
    if type(None) in choices and value == NONE:
        return None
    for choice in choices:
        try:
            if choice is not type(None):
                return structure(value, choice)
        except Exception:  # noqa: BLE001, S112 - the next choice may take it
            continue
    raise ValueError(f"{toml_like(value)} is not {type_name(kind)}")


def _array(value: Any, kind: Any) -> Any:
    if type(value) is not list:
        raise TypeError(f"{toml_like(value)} is not {type_name(kind)}")
    arguments = get_args(kind)
    if get_origin(kind) is tuple and ... not in arguments:
        if len(value) != len(arguments):
            raise ValueError(f"{toml_like(value)} is not {type_name(kind)}")
        return tuple(structure(v, k) for v, k in zip(value, arguments, strict=True))
    elements = [structure(v, arguments[0]) for v in value]
    return tuple(elements)


def structure(value: Any, kind: Any) -> Any:
    """A TOML value as a value of this type; TypeError or ValueError with the reason where it is none.

    >>> structure(3, float), structure([1, 2], tuple[int, ...])
    (3.0, (1, 2))
    >>> structure("false", bool)
    Traceback (most recent call last):
    TypeError: "false" is not true or false
    """
    if kind in _ACCEPTED:
        return _scalar(value, kind)
    if kind is Path:
        return _path(value)
    origin = get_origin(kind)
    if origin not in _COMPOSED:
        raise TypeError(f"{toml_like(value)} is not {type_name(kind)}")
    return _COMPOSED[origin](value, kind)


_COMPOSED: dict[Any, Callable[[Any, Any], Any]] = {
    Literal: _literal,
    Union: _union,
    UnionType: _union,
    tuple: _array,
    list: _array,
}
"""What reads a value of a type that is made of others."""
