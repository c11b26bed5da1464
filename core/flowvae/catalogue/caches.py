"""Where this user's processes keep what they would otherwise find out again each time."""

import os
from pathlib import Path


def cache_file(name: str) -> Path | None:
    """A file of flowvae's in the user's folder of caches; None for a user without a home."""
    said = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        folder = said if said.is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "flowvae" / name
