"""Which part a thread is in, for whoever looks from another one."""

import sys
from collections.abc import Iterable
from typing import Any

from flowvae.recipe.part import Part


def part_at_work(places: Iterable[tuple[str, Part, Any]], thread: int) -> str:
    """The innermost part that a thread has called, with its place; "" where it is in none, as on the way back to gradients."""
    built = {id(one): f"{part.component} at {path}" for path, part, one in places}
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the one way to another thread's stack
    while frame is not None:
        words = built.get(id(frame.f_locals.get("self")))
        if words:
            return words
        frame = frame.f_back
    return ""
