"""What a run is watched for between its steps: weights that overflow, weights that stay, a checkpoint that forgets."""

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field
from torch import Tensor

from flowvae.building.memory import give_back, peak_memory_mb
from flowvae.errors import NumbersError
from flowvae.folder.status import Status
from flowvae.processes.signs import sign
from flowvae.training.past import Past, hash_of_weights
from flowvae.training.self_check import SelfCheck
from flowvae.training.training import Training

STILL = "no weight of the model has moved: look at train.clip, lr and the schedule"
MOST_NAMED = 3
"""Parts that a line names."""


def kept(forgotten: Sequence[str]) -> str:
    """What no checkpoint holds, in words.

    >>> kept(("a", "b", "c", "d"))
    'what a, b, c and 1 more keep'
    """
    more = len(forgotten) - MOST_NAMED
    named = ", ".join(forgotten[:MOST_NAMED])
    return (
        f"what {named} and {more} more keep"
        if more > 0
        else f"what {named} keep" + "s" * (len(forgotten) == 1)
    )


@define(eq=False)
class Watch:
    """Looks when a checkpoint is due, and tells what it finds in the status of the run."""

    training: Training
    past: Past
    status: Status
    check: SelfCheck | None
    """None where two builds would not compute the same bits anyway, or where nobody asks."""
    _began_at: int = field(init=False)
    _has_moved: bool = False

    def __attrs_post_init__(self) -> None:
        self._began_at = self.training.state.step

    def begin(self) -> None:
        """Before the first step."""
        self.past.record = evolve(self.past.record, first_weights=hash_of_weights(self.training.model))

    def saved(self, files: Mapping[str, bytes] | None) -> None:
        """A checkpoint was committed, or given up where there are no files. The first one after a step is held, and looked at after the next."""
        step = self.training.state.step
        if step and not self._has_moved:
            self._has_moved = hash_of_weights(self.training.model) != self.past.record.first_weights
            if not self._has_moved:
                self.status.add([STILL])
        is_due = self.past.record.forgotten is None and 0 < step < self.training.recipe.train.steps
        if self.check is not None and files is not None and is_due:
            self.check.files = files

    def after(self, step: int, figures: Mapping[str, Tensor]) -> None:
        """A step was taken: where a checkpoint from before it is held, it is taken from there as well."""
        if self.check is None or self.check.files is None:
            return
        sign(f"the self-check after step {step + 1}")
        training = self.training
        training.peak_mb = peak_memory_mb(training.device)
        forgotten = self.check.differences(training, step, figures)
        give_back()
        self.past.leave_out(self.check.seconds)
        self.past.record = evolve(self.past.record, forgotten=forgotten)
        if forgotten:
            self.status.exact = self.status.exact and not self._began_at
            self.status.add(
                [
                    f"were it interrupted, it would not go on to the same bits: no checkpoint holds {kept(forgotten)}"
                ]
            )

    def refuse_overflow(self) -> None:
        """NumbersError where a weight is no number any more: neither a figure nor a checkpoint is made of it."""
        name = self.training.state.first_overflow()
        if name is not None:
            raise NumbersError(
                f"{name} is not finite after step {self.training.state.step}",
                do="lower train.optimizer.lr or train.clip, in another --out; the last checkpoint is from before",
            )
