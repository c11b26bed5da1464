"""clips.json of an ablation's folder: its sounds as they were prepared."""

from typing import ClassVar

from attrs import frozen

from flowvae.folder.record import Record


@frozen
class ClipInfo:
    """One clip of the array."""

    name: str
    group: str
    """The kit that it was held out with, or not; of a sound that stands for itself, what its data set says."""
    note: str
    held_out: bool
    label: str = ""
    """The class that its data set gives it; without one its name may say it."""
    weight: float = 1.0
    """How often it is drawn in training, beside the others."""


@frozen
class PreparedClips(Record):
    """The sounds of an ablation as they were prepared, beside their array."""

    file: ClassVar[str] = "clips.json"

    fingerprint: str
    slack: int
    skipped: int
    told: tuple[str, ...]
    """What there was to say of the split."""
    clips: tuple[ClipInfo, ...]
    array: str
    """The hash of clips.npy."""
