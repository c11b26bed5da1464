"""Strict values: TOML keeps booleans, whole numbers, numbers and strings apart, and so does a recipe.

cattrs would turn 2.9 into 2 and "false" into True; these hooks refuse. A whole number may stand for a number,
"none" for no value where none is allowed, and nothing else converts.
"""

import math
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import cattrs

from flowvae.text import toml_like, type_name

NONE = "none"


def _scalar(kind: type, *accepts: type) -> Any:
    def structure(value: Any, _: Any) -> Any:
        if type(value) not in accepts:
            raise TypeError(f"{toml_like(value)} is not {type_name(kind)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{value} is not a finite number")
        return kind(value)

    return structure


def _path(value: Any, _: Any) -> Path:
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
                return CONVERTER.structure(value, choice)
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
        return tuple(CONVERTER.structure(v, k) for v, k in zip(value, arguments, strict=True))
    elements = [CONVERTER.structure(v, arguments[0]) for v in value]
    return tuple(elements)


def _origin(kind: Any) -> Any:
    return get_origin(kind)


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook(bool, _scalar(bool, bool))
    converter.register_structure_hook(int, _scalar(int, int))
    converter.register_structure_hook(float, _scalar(float, float, int))
    converter.register_structure_hook(str, _scalar(str, str))
    converter.register_structure_hook(Path, _path)  # cattrs has a hook of its own, which takes anything
    converter.register_structure_hook_func(lambda kind: _origin(kind) is Literal, _literal)
    converter.register_structure_hook_func(lambda kind: _origin(kind) in {Union, UnionType}, _union)
    converter.register_structure_hook_func(lambda kind: _origin(kind) in {tuple, list}, _array)
    return converter


CONVERTER = _converter()


def structure(value: Any, kind: Any) -> Any:
    """A TOML value as a value of this type; TypeError or ValueError with the reason where it is none.

    >>> structure(3, float), structure([1, 2], tuple[int, ...])
    (3.0, (1, 2))
    >>> structure("false", bool)
    Traceback (most recent call last):
    TypeError: "false" is not true or false
    """
    return CONVERTER.structure(value, kind)
