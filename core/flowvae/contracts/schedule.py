from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable


@runtime_checkable
class Schedule(Protocol):
    """A factor over a run, of a learning rate or of a regularizer's weight.

    A function from the step (0 to n_steps - 1) to a number in [0, 1]: what it multiplies is the highest value.
    """

    def __call__(self, n_steps: int) -> Callable[[int], float]: ...
