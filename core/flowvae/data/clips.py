"""The sounds of an ablation: read once, cut to clips, kept in one array that every run maps into memory."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray

from flowvae.contracts import Skipped, Sound
from flowvae.errors import DataError
from flowvae.folder.files import read_record, trusting, write_bytes, write_json
from flowvae.recipe import Part
from flowvae.recipe.tables import ModelSection

FADE_S = 0.005


@frozen
class ClipInfo:
    """One clip of the array."""

    name: str
    group: str
    note: str
    held_out: bool


@frozen(eq=False)
class Clips:
    """All clips with their slack: audio[n, c, slack + n_samples + slack], as it lies on disk."""

    audio: NDArray[np.float32]
    info: tuple[ClipInfo, ...]
    slack: int
    fingerprint: str

    def rows(self, *, held_out: bool) -> list[int]:
        """The indices of one side of the split."""
        return [i for i, clip in enumerate(self.info) if clip.held_out == held_out]


def prepare_clips(source: Any, data: Part, model: ModelSection, folder: Path) -> Clips:
    """Reads every sound, cuts it to a clip, and writes the array with a verdict for each sound."""
    slack = round(data.extras["slack_ms"] / 1000 * model.sample_rate)
    clips: list[NDArray[np.float32]] = []
    sounds: list[tuple[str, str, str]] = []
    skipped: list[Skipped] = []
    for item in source.read():
        if isinstance(item, Skipped):
            skipped.append(item)
        else:
            clips.append(cut_clip(item, model.n_samples, slack, model.sample_rate))
            sounds.append((item.name, item.group, item.note))
    _refuse_too_few(sounds, skipped, strict=data.extras["strict"])
    groups = _groups(sounds)
    held = held_out_groups(groups, data.extras["held_out"])
    info = tuple(
        ClipInfo(name, group, note, side in held)
        for (name, group, note), side in zip(sounds, groups, strict=True)
    )
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(asdict(s), ensure_ascii=False) for s in skipped]
    write_bytes(folder / "skipped.jsonl", "".join(f"{line}\n" for line in lines).encode())
    audio = np.stack(clips)
    with (folder / ".clips.npy").open("wb") as file:
        np.save(file, audio, allow_pickle=False)
    (folder / ".clips.npy").replace(folder / "clips.npy")
    fingerprint = source.fingerprint()
    content = {
        "fingerprint": fingerprint,
        "slack": slack,
        "skipped": len(skipped),
        "clips": [asdict(i) for i in info],
        "array": hashlib.sha256(audio.tobytes()).hexdigest(),
    }
    write_json(folder / "clips.json", content)  # last: a folder without it was not finished
    return Clips(audio, info, slack, fingerprint)


def load_clips(folder: Path) -> Clips:
    """Maps the prepared clips into memory; CheckpointError where they are not what was prepared."""
    path = folder / "clips.json"
    content = read_record(path)
    with trusting(path):
        audio = np.load(folder / "clips.npy", mmap_mode="r", allow_pickle=False)
        info = tuple(ClipInfo(**clip) for clip in content["clips"])
        if hashlib.sha256(np.ascontiguousarray(audio).data).hexdigest() != content["array"]:
            raise ValueError("clips.npy is damaged; remove the folder, and it is prepared again")
        return Clips(audio, info, content["slack"], content["fingerprint"])


def cut_clip(sound: Sound, n_samples: int, slack: int, sample_rate: int) -> NDArray[np.float32]:
    """The clip with slack on both sides, silent where the sound is not, faded to silence before the clip can end.

    The fade ends `slack` before the clip does: a clip that an augmentation shifts within the slack ends in
    silence too.
    """
    clip = np.zeros((sound.audio.shape[0], n_samples + 2 * slack), np.float32)
    first = sound.start - slack
    source = sound.audio[:, max(first, 0) : sound.start + n_samples + slack]
    offset = max(-first, 0)
    clip[:, offset : offset + source.shape[1]] = source
    end = slack + n_samples - min(slack, n_samples // 2)
    if clip[:, end:].any():
        fade = min(round(FADE_S * sample_rate), end)
        clip[:, end - fade : end] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        clip[:, end:] = 0.0
    return clip


def held_out_groups(groups: list[str], share: float) -> set[str]:
    """The groups kept for validation: in an order that only their names decide, until the share is reached.

    At least one group is held out and one is trained on.
    """
    sizes = Counter(groups)
    order = sorted(sizes, key=lambda g: hashlib.sha256(g.encode()).digest())
    held: set[str] = set()
    count = 0
    for group in order:
        if held and count + sizes[group] > share * len(groups):
            continue
        if len(held) == len(order) - 1:
            break
        held.add(group)
        count += sizes[group]
    return held


def _groups(sounds: list[tuple[str, str, str]]) -> list[str]:
    """The side-keeping group of each sound; where all are of one group, each sound stands for itself."""
    groups = [group for _, group, _ in sounds]
    return groups if len(set(groups)) > 1 else [name for name, _, _ in sounds]


def _refuse_too_few(sounds: list[tuple[str, str, str]], skipped: list[Skipped], *, strict: bool) -> None:
    total = len(sounds) + len(skipped)
    reasons = Counter(s.reason for s in skipped).most_common(3)
    why = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    if strict and skipped:
        raise DataError(
            f"{len(skipped)} of {total} sounds cannot be used: {why}",
            do="remove them, or data.strict = false",
        )
    if not sounds:
        raise DataError(
            f"0 of {total} sounds usable" + (f": {why}" if why else ""),
            do="point data.path at a folder with sounds",
        )
    if len(sounds) < 2:
        raise DataError("only one sound is usable: none is left to hold out", do="add sounds")
