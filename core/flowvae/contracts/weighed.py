from typing import Generic, TypeVar

from attrs import frozen

F = TypeVar("F")


@frozen(eq=False)
class Weighed(Generic[F]):
    """One of several parts in a slot, under its name and with a weight beside the others.

    A keyword of the type tuple[Weighed[Dataset], ...] takes data sets by name, and the table of each has a key `weight`.
    """

    name: str
    make: F
    """What a slot for one part would be given: called with what the parent gives, it gives the component."""
    weight: float = 1.0
