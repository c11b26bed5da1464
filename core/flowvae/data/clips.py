"""The prepared sounds: one array that every run maps into memory, and a record for each clip of it."""

import hashlib
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.folder.files import read_record, trusting


@frozen
class ClipInfo:
    """One clip of the array."""

    name: str
    group: str
    """The kit that it was held out with, or not; of a sound that stands for itself, what its data set says."""
    note: str
    held_out: bool


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
    path = folder / "clips.json"
    content = read_record(path)
    with trusting(path):
        audio = np.load(folder / "clips.npy", mmap_mode="r", allow_pickle=False)
        info = tuple(ClipInfo(**clip) for clip in content["clips"])
        if hashlib.sha256(np.ascontiguousarray(audio).data).hexdigest() != content["array"]:
            raise ValueError("clips.npy is damaged; remove the folder, and it is prepared again")
        told = tuple(content.get("told", ()))
        return Clips(audio, info, content["slack"], content["fingerprint"], told)
