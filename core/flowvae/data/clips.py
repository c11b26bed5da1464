"""The prepared sounds: one array that every run maps into memory, and a record for each clip of it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.errors import CheckpointError, shown
from flowvae.folder.clip_records import ClipInfo, PreparedClips

ARRAY = "clips.npy"


@frozen(eq=False)
class Clips:
    """All clips with their slack: audio[n, c, slack + n_samples + slack], as it lies on disk."""

    audio: NDArray[np.float32]
    info: tuple[ClipInfo, ...]
    slack: int
    fingerprint: str
    told: tuple[str, ...] = ()
    """What there was to say of the split."""

    def rows(self, *, held_out: bool) -> list[int]:
        """The indices of one side of the split."""
        return [i for i, clip in enumerate(self.info) if clip.held_out == held_out]

    def held_out_groups(self) -> list[str]:
        """The groups that no sound is trained on of."""
        trained = {clip.group for clip in self.info if not clip.held_out}
        return sorted({clip.group for clip in self.info} - trained)


def load_clips(folder: Path) -> Clips:
    """Maps the prepared clips into memory, for a process that many stand beside: all share the same pages.

    Whoever drives the runs has verified the array, at its start. It is hashed again only where it was written to after
    its record was: what has changed since. Errors: CheckpointError where it is not what was prepared.
    """
    content = PreparedClips.read(folder)
    array = folder / ARRAY
    if array.exists() and array.stat().st_mtime_ns > (folder / PreparedClips.file).stat().st_mtime_ns:
        _verify(array, content)
    return _mapped(array, content)


def verified_clips(folder: Path) -> Clips:
    """The same, and every value of the array is looked at."""
    content = PreparedClips.read(folder)
    _verify(folder / ARRAY, content)
    return _mapped(folder / ARRAY, content)


def _mapped(path: Path, content: PreparedClips) -> Clips:
    with _prepared(path):
        # Private to each process, should one of them ever write: torch takes no array that it may not write to.
        audio = np.load(path, mmap_mode="c", allow_pickle=False)
        header = path.stat().st_size - audio.nbytes
        if audio.dtype != np.float32 or len(audio) != len(content.clips) or header != audio.offset:
            raise ValueError(f"{audio.dtype} of shape {list(audio.shape)}")
        return Clips(audio, content.clips, content.slack, content.fingerprint, content.told)


def _verify(path: Path, content: PreparedClips) -> None:
    """Through a small buffer: a hash over the mapped array would have all of it in this process."""
    with _prepared(path), path.open("rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        if hashlib.file_digest(file, "sha256").hexdigest() != content.array:
            raise ValueError("it is damaged")


def _refuse_special(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise ValueError("it is no regular file")  # a pipe would be waited for


@contextmanager
def _prepared(path: Path) -> Iterator[None]:
    """What is wrong with the array is told with the way out: it can be made again from the sounds."""
    try:
        _refuse_special(path)
        yield
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(
            f"{shown(path)} is not what was prepared: {error}",
            do=f"remove {shown(path.parent)}, and the sounds are prepared again",
        ) from error
