"""What the folder `listening` of an ablation holds beside its pages: the keys of its blind tests, and the answers to them."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from attrs import field, frozen

from flowvae.folder.record import Record

Test = Literal["abx", "preference"]
Side = Literal["a", "b", "none"]


@frozen
class Question:
    """What one question plays: a clip as two arms rebuilt it with one seed."""

    clip: str
    seed: int
    a: str
    b: str
    x: Side
    """Which of the two is X; a question of preference has none."""


@frozen
class BlindTest:
    """The key of one page."""

    test: Test
    secret: str
    """The number that all draws of the page come from: whoever knows it can draw them again."""
    step: int
    """The step of the runs that is heard."""
    sounds: str
    """The hash of what is heard."""
    questions: tuple[Question, ...]


@frozen
class Keys(Record):
    """The key of every page that was made in a folder, also of pages that were made anew since, by session."""

    file: ClassVar[str] = "key.json"

    tests: Mapping[str, BlindTest] = field(factory=dict)


@frozen
class Sheet:
    """The answers of one listener, as they were locked."""

    session: str
    listener: str
    locked: str
    """When they were taken in: in UTC, to the second."""
    answers: tuple[str, ...]
    digest: str
    """The hash of all of this but the time."""


@frozen
class Sheets(Record):
    """All answers that were taken in, in the order in which they came."""

    file: ClassVar[str] = "answers.json"

    sheets: tuple[Sheet, ...] = ()
