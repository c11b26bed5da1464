"""Which tests run in every run, and which wait for the slow tier."""

from collections.abc import Iterable
from typing import Any

import pytest


def swept(values: Iterable[Any], quick: int = 1) -> list[Any]:
    """The values of a parametrized test: the first few in every run, the rest of the sweep in the slow tier."""
    return [
        value if i < quick else pytest.param(*_as_row(value), marks=pytest.mark.slow)
        for i, value in enumerate(values)
    ]


def _as_row(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
