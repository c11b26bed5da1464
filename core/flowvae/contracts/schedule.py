from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable


@runtime_checkable
class Schedule(Protocol):
    """The learning rate over a run: a function from the step (0 to n_steps - 1) to a factor in [0, 1]."""

    def __call__(self, n_steps: int) -> Callable[[int], float]: ...
