"""Keeps the folder that a command is called in, a folder of sounds perhaps, out of what is imported."""

import os
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "PYTHONPATH"


def leave_out_this_folder(environment: MutableMapping[str, str], search_path: list[str]) -> None:
    """Takes what means "wherever one stands" out of PYTHONPATH, and out of where this process looks from now on.

    A colon too many in PYTHONPATH is enough for it, so nobody need have meant it. An absolute path is meant and
    stays, and so does the folder of a plugin that is installed to be edited.
    """
    entries = environment.get(VARIABLE, "").split(os.pathsep)
    kept = [entry for entry in entries if Path(entry).is_absolute() or not _is_here(entry)]
    if any(kept):
        environment[VARIABLE] = os.pathsep.join(kept)
    else:
        environment.pop(VARIABLE, None)
    gone = {"", *(str(Path(entry).absolute()) for entry in entries if entry not in kept)}
    gone |= {os.path.normpath(entry) for entry in gone if entry}  # site writes "../here" so
    if gone.isdisjoint(search_path):
        return
    gone -= {*kept, *_named_by_installations(search_path)}
    search_path[:] = [entry for entry in search_path if entry not in gone]


def _is_here(entry: str) -> bool:
    try:
        return Path(entry).samefile(os.curdir)  # the empty path is the current folder too
    except OSError:  # it is not there, so nothing is imported from it
        return False


def _named_by_installations(search_path: list[str]) -> set[str]:
    """The folders that .pth files add."""
    files = [file for entry in search_path if entry for file in Path(entry).glob("*.pth")]
    return {
        line.strip()
        for file in files
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    }
