"""What a part keeps, saved and taken up again as the engine itself does it."""

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, optim

from flowvae.training.state import TrainingState, stateful

P = TypeVar("P")


def taken_up(old: Any, new: Any) -> None:
    """Gives a new part what a checkpoint of the old one holds."""
    files = TrainingState(dict(stateful({"part": old})), {}).files()
    TrainingState(dict(stateful({"part": new})), {}).restore(files)


def optimizer_taken_up(old: optim.Optimizer, new: optim.Optimizer) -> None:
    """The same for an optimizer."""
    files = TrainingState({}, {"part": old}).files()
    TrainingState({}, {"part": new}).restore(files)


def goes_on_to_the_bit(make: Callable[[], P], use: Callable[[P, int], Tensor]) -> None:
    """A part that was used, saved and taken up gives what one gives that was never interrupted."""
    whole, interrupted = make(), make()
    for turn in range(3):
        use(whole, turn)
        use(interrupted, turn)
    again = make()
    taken_up(interrupted, again)
    assert torch.equal(use(whole, 3), use(again, 3)), (
        "what it remembers from call to call is lost when a run is interrupted: keep it in a buffer of a module, or say it "
        "in state_dict and take it in load_state_dict"
    )
