from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable


@runtime_checkable
class Ramp(Protocol):
    """The weight of a regularizer over a run: a function from the step (0 to n_steps - 1) to a factor in [0, 1].

    A kind of its own, though it computes what a schedule does: the default of learning rates must not shape a weight.
    """

    def __call__(self, n_steps: int) -> Callable[[int], float]: ...
