"""A run that gives no sign of progress for long: told in its status, and ended with its stacks."""

import threading
from collections.abc import Sequence
from typing import Any, NoReturn

from attrs import define

from flowvae.building.part_at_work import part_at_work
from flowvae.errors import StalledError
from flowvae.folder.stacks import STACKS, end_stalled, leave_stacks
from flowvae.folder.status import Status
from flowvae.recipe import Part


@define(eq=False)
class Stall:
    """Ends a run, from another thread than its own."""

    status: Status
    seconds: float
    """How long nothing was heard of it."""
    places: Sequence[tuple[str, Part, Any]] = ()
    """What was built, and where."""

    def end(self, doing: str) -> NoReturn:
        """Leaves the stacks first: they are as they were, whatever the rest takes."""
        main = threading.main_thread().ident
        assert main is not None
        part = part_at_work(self.places, main)
        leave_stacks(self.status.folder)
        error = StalledError.after(self.seconds, doing, where=part, stacks=STACKS)
        self.status.end("failed", error.what + (f" ({part})" if part else ""), do=error.do)
        end_stalled(error)
