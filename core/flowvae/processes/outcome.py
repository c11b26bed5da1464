"""What a process of ours has found, or what it has to say of what went wrong."""

import json
import sys
from collections.abc import Callable
from typing import Any

from attrs import frozen

from flowvae.errors import FlowvaeError, RecipeError


@frozen
class Outcome:
    """Of one task."""

    found: Any = None
    exit_status: int = 0
    output: str = ""
    """For the driver, which knows where the user wrote each value."""
    errors: str = ""
    """For people."""

    def tell(self) -> int:
        """Says it where it belongs, and returns the exit status."""
        if self.output:
            print(self.output)
        if self.errors:
            print(self.errors, file=sys.stderr)
        return self.exit_status


def as_in_a_shell(exit_status: int) -> int:
    """The exit status of a process that a signal ended is 128 + the signal.

    >>> as_in_a_shell(-9), as_in_a_shell(3)
    (137, 3)
    """
    return 128 - exit_status if exit_status < 0 else exit_status


def outcome_of(arm: str, task: Callable[[], Any]) -> Outcome:
    """Does a task for an arm; a fault of flowvae itself comes through.

    >>> outcome_of("snake", lambda: 7).found
    7
    """
    try:
        return Outcome(task())
    except RecipeError as error:
        faults = [[f.path, f.what, f.component, f.accepted] for f in error.faults]
        return Outcome(exit_status=error.exit_status, output=json.dumps({"arm": arm, "faults": faults}))
    except FlowvaeError as error:
        return Outcome(exit_status=error.exit_status, errors="\n".join(error.lines()))
