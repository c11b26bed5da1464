"""From a source of sounds to clips: read once, cut to their length, split, written."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowvae.contracts import Skipped, Sound
from flowvae.data.clips import ARRAY, Clips, load_clips
from flowvae.data.copies import fingerprint
from flowvae.data.growing import growing_array
from flowvae.data.kits import Member, Named, members_of
from flowvae.data.reading import read_sounds, refuse_too_few
from flowvae.data.split import Split, split_sounds
from flowvae.data.verdict import told
from flowvae.errors import PluginError
from flowvae.folder.clip_records import ClipInfo, PreparedClips
from flowvae.folder.files import write_bytes
from flowvae.recipe import Part
from flowvae.recipe.tables import ModelSection

FADE_S = 0.005


def prepare_clips(
    source: Any, data: Part, model: ModelSection, folder: Path, say: Callable[[str], None] = lambda _: None
) -> Clips:
    """Reads every sound, cuts it to a clip, and writes the array with a verdict for each sound."""
    slack = round(data.extras["slack_ms"] / 1000 * model.sample_rate)
    named: list[Named] = []
    rest: list[tuple[str, str, float]] = []
    prints: list[NDArray[np.float32]] = []
    skipped: list[Skipped] = []
    with (
        _folder(folder),
        growing_array(folder / ARRAY, (model.channels, model.n_samples + 2 * slack)) as array,
        ThreadPoolExecutor(1) as beside,
    ):
        running: Future[NDArray[np.float32]] | None = None
        for item in read_sounds(source, say):
            if isinstance(item, Skipped):
                skipped.append(item)
                continue
            _refuse_channels(item, model.channels, data)
            clip = cut_clip(item, model.n_samples, slack, model.sample_rate)
            array.append(clip)
            named.append((item.name, item.whole, item.group, item.label))
            rest.append((item.name, item.note, item.weight))
            if running:
                prints.append(running.result())
            if not is_exchangeable(source):  # on another core, while the next sound is read
                running = beside.submit(fingerprint, clip, model.sample_rate)
        prints += [running.result()] if running else []
        n_files = len({whole or name for name, whole, _, _ in named})
        keys = {key: data.extras[key] for key in ("strict", "most_skipped")}
        refuse_too_few(len(named), skipped, n_files=n_files, **keys)
        members = members_of(named)
        split = split_of(source, data, members, prints)
    lines = [json.dumps({"name": s.name, "reason": s.reason}, ensure_ascii=False) for s in skipped]
    write_bytes(folder / "skipped.jsonl", "".join(f"{line}\n" for line in lines).encode())
    PreparedClips(
        fingerprint=source.fingerprint(),
        slack=slack,
        skipped=len(skipped),
        told=tuple(told(split)),
        clips=tuple(
            ClipInfo(name, m.group if unit == m.name else unit, note, held, m.label, weight)
            for m, unit, held, (name, note, weight) in zip(
                members, split.units, split.held, rest, strict=True
            )
        ),
        array=array.digest(),
    ).write(folder)  # last: a folder without it was not finished
    return load_clips(folder)


@contextmanager
def _folder(path: Path) -> Iterator[None]:
    """A folder that is there while something is put into it; gone again where nothing was."""
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # it holds something
            path.rmdir()


def _refuse_channels(sound: Sound, channels: int, data: Part) -> None:
    if sound.audio.ndim != 2 or len(sound.audio) != channels:
        what = f"{data.component} gave {sound.name} the shape {list(sound.audio.shape)}"
        raise PluginError(what, do=f"(channels, t), with {channels} as asked for")


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


def is_exchangeable(source: Any) -> bool:
    """Whether its groups are all drawn in one way: then none of them holds copies of another's sounds."""
    return bool(getattr(source, "exchangeable", False))


def split_of(
    source: Any, data: Part, members: Sequence[Member], prints: Sequence[NDArray[np.float32]] = ()
) -> Split:
    """The split that a recipe's table of data asks for; without fingerprints, as if no sound were there twice."""
    return split_sounds(
        members,
        data.extras["held_out"],
        data.extras["split_by"],
        alike=is_exchangeable(source),
        apart=tuple(getattr(source, "apart", ())),
        prints=prints,
    )
