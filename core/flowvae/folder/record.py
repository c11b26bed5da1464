"""A file of a folder as a record: written and read by one definition, and strictly.

A key that is unknown or missing, or a value of another type, is told as such.
"""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin

import cattrs
from attrs import frozen

from flowvae.errors import CheckpointError, shown
from flowvae.folder.files import read_record, write_json

FORMAT = 2
"""Grows when a record changes so that an older flowvae would misread it."""
Plain = None | bool | int | float | str | list[Any] | dict[str, Any]
"""What JSON can say."""
R = TypeVar("R")


@frozen
class Record:
    """A file of a folder."""

    file: ClassVar[str]

    def write(self, folder: Path) -> None:
        """Replaces the file in one step."""
        write_json(folder / self.file, {"format": FORMAT, **CONVERTER.unstructure(self)})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The file's content; CheckpointError with the reason where it is not what flowvae writes."""
        path = folder / cls.file
        content = read_record(path)
        version = content.pop("format", 1)
        if version != FORMAT:
            raise CheckpointError(
                f"{shown(path)} is of format {version}; this flowvae reads format {FORMAT}",
                do="choose another --out, or use the flowvae that wrote it (environment.json names it)",
            )
        return structure(content, cls, path)

    @classmethod
    def read_if_there(cls, folder: Path) -> Self | None:
        """The same, or nothing where there is no such file."""
        return cls.read(folder) if os.path.lexists(folder / cls.file) else None


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    for kind, accepts in ((bool, (bool,)), (int, (int,)), (float, (float, int)), (str, (str,))):
        converter.register_structure_hook(kind, _scalar(kind, accepts))
    converter.register_structure_hook_func(lambda kind: kind == Plain, lambda value, _: value)
    converter.register_structure_hook_func(lambda kind: kind == float | None, _or_nothing(float))
    converter.register_structure_hook_func(lambda kind: kind == str | None, _or_nothing(str))
    converter.register_structure_hook_func(_is_choice, _choice)
    return converter


def _scalar(kind: type, accepts: tuple[type, ...]) -> Any:
    def one(value: Any, _: Any) -> Any:
        if type(value) not in accepts:
            raise TypeError(f"{value!r:.80} is no {kind.__name__}")
        return _one_line(value) if kind is str else kind(value)

    return one


def _or_nothing(kind: type) -> Any:
    def one(value: Any, _: Any) -> Any:
        known: Any = None if value is None else CONVERTER.structure(value, kind)
        return None if isinstance(known, float) and not math.isfinite(known) else known

    return one


def _is_choice(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _choice(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"{value!r:.80} is none of {', '.join(get_args(kind))}")
    return value


def _one_line(text: str) -> str:
    """Text without control characters, and without halves of characters that no file can hold."""
    if text.isprintable():  # half of a character is not
        return text
    return "".join(c if c.isprintable() else " " for c in text.encode("utf-8", "replace").decode("utf-8"))


CONVERTER = _converter()
WRONG = (
    KeyError,
    TypeError,
    AttributeError,
    ValueError,
    OverflowError,
    RecursionError,
    cattrs.ForbiddenExtraKeysError,
    cattrs.BaseValidationError,
)
"""What cattrs raises over content that does not fit."""


def structure(content: Mapping[str, Any], kind: type[R], path: Path) -> R:
    """Plain content as a record; CheckpointError where it is none."""
    try:
        return CONVERTER.structure(content, kind)
    except WRONG as error:
        what = f"{shown(path)} does not hold what flowvae wrote ({type(error).__name__}: {str(error)[:200]})"
        raise CheckpointError(what, do="restore it from a backup, or choose another --out") from error
