"""What the file of a sound is called: its writers and its readers agree here, and readers need no torch."""

import re

FINAL = "final"
"""The folder, in that of a run's audio, of the sounds that are written once, after the last step, beside the examples."""


def slug(name: str) -> str:
    """A part of a file name that every file system takes.

    >>> slug("kick/Kick 01")
    'kick-kick-01'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "sound"
