"""Files decoded ahead of those that are worked on: as many at a time as there are decoders, in their order."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from flowvae_components.audio_files.decoding import Decoded, Decoder, UndecodableError

Item = TypeVar("Item")


def decoded_ahead(
    items: Iterable[tuple[Item, bytes]], decoders: Sequence[Decoder]
) -> Iterator[tuple[Item, Decoded | UndecodableError | None]]:
    """Each item with what its bytes hold, why they hold nothing, or None where there are none.

    Formula: a decoder has one file at a time; the oldest answer is fetched where none is free.
    Shapes: none.
    Units: none.
    Source: own.

    >>> with Decoder() as decoder:
    ...     [(item, str(found)) for item, found in decoded_ahead([("a", b"no audio"), ("b", b"")], [decoder])]
    [('a', 'cannot be decoded: Format not recognised'), ('b', 'None')]
    """
    waiting: deque[tuple[Item, Decoder | None]] = deque()
    for item, content in items:
        busy = {id(decoder) for _, decoder in waiting if decoder}
        if len(busy) == len(decoders):
            yield _fetched(*waiting.popleft())
        while waiting and waiting[0][1] is None:
            yield _fetched(*waiting.popleft())
        busy = {id(decoder) for _, decoder in waiting if decoder}
        free = next(decoder for decoder in decoders if id(decoder) not in busy) if content else None
        if free is not None:
            free.send(content)
        waiting.append((item, free))
    while waiting:
        yield _fetched(*waiting.popleft())


def _fetched(item: Item, decoder: Decoder | None) -> tuple[Item, Decoded | UndecodableError | None]:
    if decoder is None:
        return item, None
    try:
        return item, decoder.receive()
    except UndecodableError as error:
        return item, error


def n_cores() -> int:
    """The cores that this process may use.

    Formula: those of its affinity, where the system has such a thing.
    Shapes: none.
    Units: none.
    Source: own.

    >>> n_cores() > 0
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
