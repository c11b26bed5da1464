"""What the file of a sound is called and says of itself: its writers and its readers agree here, and readers need no torch."""

import re

FINAL = "final"
"""The folder, in that of a run's audio, of the sounds that are written once, after the last step, beside the examples."""
_BEYOND = re.compile(r"\d+ samples? beyond full scale, highest \d+\.\d\d, clipped")


def slug(name: str) -> str:
    """A part of a file name that every file system takes.

    >>> slug("kick/Kick 01")
    'kick-kick-01'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "sound"


def clipping_of(comment: str) -> str:
    """What the comment of a file says of clipping, in the words of its writer and in no others.

    >>> clipping_of("2 samples beyond full scale, highest 1.75, clipped"), clipping_of("<b>")
    ('2 samples beyond full scale, highest 1.75, clipped', '')
    """
    return comment if _BEYOND.fullmatch(comment) else ""
