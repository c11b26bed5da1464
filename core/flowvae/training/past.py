"""What a run has been through before it goes on, kept beside its checkpoints: its time, and whether its bits are the same."""

import hashlib
import time
from pathlib import Path

import torch
from attrs import define, evolve, field
from torch import nn

from flowvae.errors import CheckpointError
from flowvae.folder.run_records import History

KEPT = 4
"""Checkpoints whose time is kept: those that are there, and those that may be put aside."""


@define(eq=False)
class Past:
    """The history of a run, which each checkpoint brings up to date."""

    folder: Path
    record: History = field(factory=History)
    _started: float = field(factory=time.monotonic)
    _before: float = 0.0

    @classmethod
    def of(cls, folder: Path) -> "Past":
        """As the folder says; a run that is new, or whose history is damaged, has none."""
        try:
            return cls(folder, History.read_if_there(folder) or History())
        except CheckpointError:
            return cls(folder)

    def go_on_from(self, step: int) -> None:
        """The run was taken up at a step: what was done after it does not count."""
        self._before = self.record.seconds.get(str(step), 0.0)
        self._started = time.monotonic()

    def leave_out(self, seconds: float) -> None:
        """Time that was no part of the training."""
        self._started += seconds

    def seconds(self) -> float:
        """What the training has taken until now, over all starts."""
        return self._before + time.monotonic() - self._started

    def note(self, step: int, *, exact: bool, told: list[str]) -> None:
        """Before a checkpoint is committed: what it will be taken up with."""
        newest = sorted({int(s) for s in self.record.seconds if s.isdigit() and int(s) < step})[-KEPT:]
        seconds = {str(s): self.record.seconds[str(s)] for s in newest} | {str(step): self.seconds()}
        self.record = evolve(self.record, seconds=seconds, exact=exact, told=tuple(told))
        self.record.write(self.folder)


def hash_of_weights(module: nn.Module) -> str:
    """A hash of all weights.

    >>> hash_of_weights(nn.Linear(1, 1)) == hash_of_weights(nn.Linear(1, 1))
    False
    """
    found = hashlib.sha256()
    with torch.no_grad():
        for weight in module.parameters():
            found.update(weight.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
