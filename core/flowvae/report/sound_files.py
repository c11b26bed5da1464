"""How the folders of a run's sounds are read: files and steps by the number in their names."""

import re
from pathlib import Path

RECONSTRUCTION = re.compile(r"(\d+)-?(.*)\.wav")
"""The number of the clip, and what it is called."""
PRIOR = re.compile(r"prior-(\d+).*\.wav")
STEP = re.compile(r"step-(\d+)")


def numbered(folder: Path, pattern: re.Pattern[str]) -> dict[int, Path]:
    """What a folder holds of a pattern, by its number, in the order of the names; nothing where the folder cannot be read."""
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return {}
    found = ((pattern.fullmatch(file.name), file) for file in files)
    return {int(match[1]): file for match, file in found if match}
