"""The prepared sounds: one array that every run maps into memory, and a record for each clip of it."""

import hashlib
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.folder.files import trusting
from flowvae.folder.records import ClipInfo, PreparedClips


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
    """Maps the prepared clips into memory; CheckpointError where they are not what was prepared."""
    content = PreparedClips.read(folder)
    path = folder / "clips.npy"
    with trusting(path):
        audio = np.load(path, mmap_mode="r", allow_pickle=False)
        if hashlib.sha256(np.ascontiguousarray(audio).data).hexdigest() != content.array:
            raise ValueError("it is damaged; remove the folder, and it is prepared again")
        return Clips(audio, content.clips, content.slack, content.fingerprint, content.told)
