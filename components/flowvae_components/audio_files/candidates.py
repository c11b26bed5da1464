"""Which files of a folder are tried as sounds, and their bytes."""

import os
from dataclasses import dataclass
from pathlib import Path

from flowvae.contracts import Skipped
from flowvae_components.audio_files import containers
from flowvae_components.audio_files.listing import SAME_FILE, Listed, in_plain_words, list_files, shown
from flowvae_components.audio_files.opening import contents

NOT_AUDIO = "not audio"


@dataclass(frozen=True, eq=False)
class Opened:
    """A file and its bytes, as the decoder is given them."""

    file: Listed
    content: bytes
    note: str
    """What had to be put right in its header."""


def candidates(path: Path, classes: Path | None) -> list[Listed | Skipped]:
    """What is tried, and what is not tried and why; the table of classes may lie among the sounds.

    Formula: files in the order of the bytes of their names; tried where the name or the first bytes are those of audio.
    Shapes: none.
    Units: none.
    Source: own.

    Raises FileNotFoundError, NotADirectoryError or PermissionError where the folder cannot be listed.

    >>> candidates(Path("/proc/self/no-such-folder"), None)
    Traceback (most recent call last):
    FileNotFoundError: /proc/self/no-such-folder: there is no such folder
    """
    try:
        path = path.expanduser()
    except RuntimeError:
        raise FileNotFoundError(f"{shown(os.fsencode(path))}: there is no such user") from None
    folder = os.fsencode(path)  # names may be any bytes
    found: list[Listed | Skipped] = []
    try:
        listed = list_files(folder)
    except OSError as error:
        missing = "a link that leads nowhere" if path.is_symlink() else "there is no such folder"
        what = {FileNotFoundError: missing, NotADirectoryError: "this is not a folder"}
        reason = what.get(type(error), in_plain_words(error))
        raise type(error)(f"{shown(folder)}: {reason}") from None
    table = os.path.realpath(os.fsencode(classes.expanduser())) if classes else b""
    for entry in listed:
        if table and os.path.realpath(entry.path) == table:
            continue
        problem = entry.problem or _not_audio(entry)
        lost = problem != NOT_AUDIO and not problem.startswith(SAME_FILE)
        found.append(Skipped(entry.name, problem, lost=lost) if problem else entry)
    return found


def opened(candidate: Listed | Skipped) -> tuple[Opened | Skipped, bytes]:
    """A candidate with its bytes, no bytes where it gives none.

    Formula: sizes that a recorder never wrote are put right.
    Shapes: none.
    Units: bytes.
    Source: own.

    >>> opened(Listed(b"a.wav", "a.wav", b"/proc/self/no-such-file", ""))
    (Skipped(name='a.wav', reason='a link that leads nowhere, or gone since'), b'')
    """
    if isinstance(candidate, Skipped):
        return candidate, b""
    try:
        content, note = containers.with_length(contents(candidate.path))
    except OSError as error:
        return Skipped(candidate.name, in_plain_words(error)), b""
    return Opened(candidate, content, note), content


def _not_audio(file: Listed) -> str:
    if containers.named_like_audio(file.name):
        return ""
    try:
        head = contents(file.path, containers.N_MAGIC_BYTES)
    except OSError as error:
        return in_plain_words(error)
    return "" if containers.starts_like_audio(head) else NOT_AUDIO
