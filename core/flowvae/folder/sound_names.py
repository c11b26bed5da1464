"""What the file of a sound is called: its writers and its readers agree here, and readers need no torch."""

import re


def slug(name: str) -> str:
    """A part of a file name that every file system takes.

    >>> slug("kick/Kick 01")
    'kick-kick-01'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "sound"
