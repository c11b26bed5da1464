"""Reading the sounds of a source: what is said meanwhile, and when too many of them are lost."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flowvae.contracts import BuiltNamedDataset, Skipped, Sound
from flowvae.errors import DataError
from flowvae.processes.signs import sign

EVERY_S = 5.0
"""Between two lines of progress."""


def read_sounds(
    source: Any, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> Iterator[Sound | Skipped]:
    """What a source gives, each a sign of progress; how far it is, is said every few seconds."""
    before, total = clock(), ""
    for number, item in enumerate(source.read(), 1):
        sign(f"the reading of the sounds, after {item.name}")
        yield item
        now = clock()
        if now - before >= EVERY_S:
            before = now
            if not total and isinstance(source, BuiltNamedDataset):
                total = f" of {sum(1 for _ in source.names()):,}"
            say(f"  {number:,}{total} sounds read")


def refuse_too_few(
    n_sounds: int, skipped: Sequence[Skipped], *, strict: bool, most_skipped: float = 1.0, n_files: int = 0
) -> None:
    """DataError where nothing can be trained on, nothing held out, or more is lost than was agreed to.

    `n_files` is how many files the sounds come from; what is no sound, or is used under another name, is not lost.
    """
    total = n_sounds + len(skipped)
    reasons = Counter(s.reason for s in skipped).most_common(3)
    why = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    if strict and skipped:
        raise DataError(
            f"{len(skipped)} of {total} sounds cannot be used: {why}",
            do="remove them, or data.strict = false",
        )
    if not n_sounds:
        raise DataError(
            f"0 of {total} sounds usable" + (f": {why}" if why else ""),
            do="point data.path at a folder with sounds",
        )
    lost = [s for s in skipped if s.lost]
    tried = len(lost) + (n_files or n_sounds)
    if len(lost) > most_skipped * tried:
        reasons = Counter(s.reason for s in lost).most_common(3)
        why = "; ".join(f"{count} x {reason}" for reason, count in reasons)
        raise DataError(
            f"{len(lost)} of {tried} sounds cannot be used, more than {most_skipped:.0%}: {why}",
            do="mend or remove them; data.most_skipped = 1.0 trains on what is left",
        )
    if n_sounds < 2:
        raise DataError(
            "only one sound is usable: none is left to hold out" + (f"; of {total}, {why}" if why else ""),
            do="add sounds",
        )
