"""What can go wrong through no fault of flowvae, each with its exit status and a message for the user.

A message says what happened, where, and what to do. It is printed without a traceback.
"""

import errno
from pathlib import Path
from typing import Any, ClassVar

from attrs import asdict, field, frozen

from flowvae.text import printable, shortened, width

LONGEST = 200
"""Characters of a line that a message shows."""
NO_MEMORY = (
    "can't allocate memory",
    "Cannot allocate memory",
    "out of memory",
    "MemoryError",
    "failed to map segment",
    "cannot allocate memory",
)
"""What torch, the system and Python's own trace say where memory is lacking."""
MOST_FAULTS = 50
"""Faults that a report shows in full."""


@frozen
class Place:
    """A stretch of one line in a text that the user wrote."""

    label: str
    """The file as the user knows it, or the option of the command line."""
    line: int = 0
    column: int = 0
    length: int = 1
    text: str = ""
    """The whole line."""

    def __str__(self) -> str:
        return f"{self.label}:{self.line}:{self.column}" if self.line else self.label

    def excerpt(self) -> list[str]:
        """The line with a caret under the stretch, for terminals."""
        if not self.text:
            return []
        number = str(self.line) if self.line else "-"
        first = max(self.column - 1 - LONGEST // 2, 0)  # of a line that is too long, what is around the caret
        text, column = self.text[first : first + LONGEST], max(self.column - 1 - first, 0)
        # A tab stays a tab under a tab, so that the caret stands where the eye expects it.
        lead = "".join("\t" if c == "\t" else " " * width(c) for c in text[:column])
        marked = sum(width(c) for c in text[column : column + self.length])
        return [
            f"    {number} | {printable(text)}",
            f"    {' ' * len(number)} | {lead}{'^' * max(1, marked)}",
        ]


@frozen
class Fault:
    """One mistake in a recipe."""

    what: str
    place: Place | None = None
    path: str = ""
    """The key path, as in model.decoder.width."""
    component: str = ""
    """The component concerned with its owner, as in `snake (activation, flowvae 0.1.0)`."""
    accepted: str = ""
    """What would have been right, with the default."""
    suggestions: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The block that is printed for this fault."""
        head = [f"  {printable(str(self.place))}"] if self.place else []
        lines = head + (self.place.excerpt() if self.place else [])
        what = shortened(printable(self.what))
        lines.append(f"    {printable(self.path)}: {what}" if self.path else f"    {what}")
        if self.component:
            lines.append(f"    in {printable(self.component)}")
        if self.accepted:
            lines.append(f"    accepted: {shortened(printable(self.accepted), 2000)}")
        if self.suggestions:
            lines.append(f"    did you mean {' or '.join(self.suggestions)}?")
        return lines

    def fields(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            **asdict(self, filter=lambda a, _: a.name != "place"),
            "place": self.place and asdict(self.place),
        }


class FlowvaeError(Exception):
    """A mistake or a misfortune that the user can do something about."""

    code: ClassVar[str] = "FLOWVAE"
    exit_status: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", do: str = "", resume: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.do, self.resume = what, where, do, resume

    def lines(self) -> list[str]:
        """The message for the terminal."""
        lines = [f"flowvae: error[{self.code}]: {printable(self.what)}"]
        if self.where:
            lines.append(f"  where: {printable(self.where)}")
        if self.do:
            lines.append(f"  do: {printable(self.do)}")
        if self.resume:
            lines.append(f"  resume: {printable(self.resume)}")
        return lines

    def fields(self) -> dict[str, Any]:
        """The same for a program."""
        return {"error": self.code, "what": self.what, "where": self.where, "do": self.do}


class RecipeError(FlowvaeError):
    """A recipe, or a command line, that cannot be followed: every fault in one report."""

    code = "RECIPE"
    exit_status = 2

    def __init__(self, faults: list[Fault], *, recipe: str = "") -> None:
        self.faults = faults
        self.recipe = recipe
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{count} in {recipe or 'the recipe'}")

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Every fault with its place."""
        lines = [f"flowvae: error[{self.code}]: {printable(self.what)}"]
        for fault in self.faults[:MOST_FAULTS]:
            lines += ["", *fault.lines()]
        if len(self.faults) > MOST_FAULTS:
            lines += ["", f"  and {len(self.faults) - MOST_FAULTS} more"]
        return lines

    def fields(self) -> dict[str, Any]:
        """All faults, however many."""
        return {"error": self.code, "what": self.what, "faults": [fault.fields() for fault in self.faults]}


class AnswersError(RecipeError):
    """A file of answers to a blind test that cannot be taken in: every fault in one report."""

    code = "ANSWERS"


class UsageError(FlowvaeError):
    """A command line that asks for something that does not exist."""

    code = "USAGE"
    exit_status = 2


class DataError(FlowvaeError):
    """Sounds that cannot be used."""

    code = "DATA"
    exit_status = 3


class PluginError(FlowvaeError):
    """A plugin or a component that does not do what its contract asks."""

    code = "PLUGIN"
    exit_status = 4


class CheckpointError(FlowvaeError):
    """The content of a run folder that cannot be read."""

    code = "CHECKPOINT"
    exit_status = 5


class RunFolderError(FlowvaeError):
    """A run folder that is in use, or belongs to another recipe."""

    code = "RUN-FOLDER"
    exit_status = 6


class NumbersError(FlowvaeError):
    """A loss or a gradient that is no longer a number."""

    code = "NON-FINITE"
    exit_status = 7


class MachineError(FlowvaeError):
    """A disk, a memory or a device that refuses."""

    code = "MACHINE"
    exit_status = 8


class AblationError(FlowvaeError):
    """An ablation that ended, but not with every run."""

    code = "ABLATION"
    exit_status = 9


class StalledError(FlowvaeError):
    """A process that went on no more, and was ended."""

    code = "STALLED"
    exit_status = 10

    @classmethod
    def after(cls, seconds: float, doing: str, *, where: str = "", stacks: str) -> "StalledError":
        """Of one that gave no sign for so long; `stacks` is where its stacks are."""
        return cls(
            f"stalled: no sign of progress for {seconds:g} s in {doing}",
            where=where,
            do=f"{stacks} has its stacks; what may take longer needs a larger execution.stall_timeout",
        )


@frozen
class Stopped(Exception):  # noqa: N818 - a stop that was asked for is no error
    """A signal asked the run to end, and it did so with its state saved."""

    signal: int = field()


DISK_IS_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""What only a disk that is written to says; that one which breaks says EIO, but to who reads as well."""


def lacks_memory(error: BaseException | str) -> bool:
    """Whether an error, or its trace, says that memory was lacking: torch has no class of its own for the CPU's."""
    said = str(error)
    return isinstance(error, MemoryError) or any(words in said for words in NO_MEMORY)


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
