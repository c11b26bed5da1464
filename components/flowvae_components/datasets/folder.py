"""Sounds from a folder of audio files, whatever they are and however they were made."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from flowvae.contracts import Refused, Skipped, Sound
from flowvae_components.audio_files import fitting
from flowvae_components.audio_files.ahead import decoded_ahead, n_cores
from flowvae_components.audio_files.candidates import Opened, candidates, opened
from flowvae_components.audio_files.decoding import Decoded, Decoder
from flowvae_components.audio_files.faults import fault
from flowvae_components.audio_files.listing import Listed, in_plain_words
from flowvae_components.audio_files.opening import contents
from flowvae_components.datasets import clip_judging, conversion, judging, pieces
from flowvae_components.datasets.classes import read_classes

# What a fingerprint stands for; a change in how files become sounds raises it.
_VERSION = 4
_SHORTEST_S = 0.001
"""A thousandth of a second has no pitch and no decay: what is shorter is what is left of a file."""
MOST_DECODERS = 4
_FEW = 64
"""Files that one decoder is enough for: to start another one takes as long."""


class Folder:
    """Every usable sound below a folder, and for every other file the reason why it is not.

    Formula: files in the order of their names' bytes; each one decoded by libsndfile in a process of its own, brought
        to the channels and the rate that are asked for, its mean subtracted, its peak set, its last 5 ms faded.
        start = 2 ms before the first sample above -40 dB of the peak. Where a clip from there on would lack the hit, or
        more than 2/5 of the power, clips begin at the hits: a recording of several is a sound for each, file/000 on.
        Of files that give the same sound the first is used, one whose header is damaged only where no other is.
        Links to files are followed, links to folders and hidden files are not.
        group = the folder that a file lies in; a file beside all folders stands for itself. Which folders are kits,
        and which are classes (kicks, snares), is for the split to tell.
        label = what the table of classes says of the file; without one its name may say what it is.
    Shapes: a file (c, t) of any rate -> (channels, t * sample_rate / rate).
    Units: full scale is 1; files from 1 to 768 kHz, to 32 channels, from 1 ms to 10 minutes.
    Parameters:
        path: the folder; ~ stands for the home folder.
        peak: the highest absolute value of every sound; without one a sound keeps its level, at most 1.
        group_by: "folder" as described; "file" for sounds that have nothing to do with each other.
        classes: a CSV file with the columns file (as it lies below path) and class; what it says counts before names,
            and a file of which it says nothing is used with a note.
    Source: own.

    Raises FileNotFoundError, NotADirectoryError or PermissionError where the folder cannot be listed.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as path:
    ...     _ = Path(path, "notes.txt").write_text("no sound")
    ...     list(Folder(44100, 1, 16384, path=Path(path)).read())
    [Skipped(name='notes.txt', reason='not audio')]
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int,
        n_samples: int,
        *,
        path: Path,
        peak: float | None = 0.95,
        group_by: Literal["folder", "file"] = "folder",
        classes: Path | None = None,
    ) -> None:
        if peak is not None and not 0 < peak <= 1:
            raise Refused("peak", f"peak must be above 0 and at most 1, got {peak}")
        if group_by not in {"folder", "file"}:
            raise Refused("group_by", f'group_by must be "folder" or "file", got {group_by!r}')
        self.sample_rate = sample_rate
        self.channels = channels
        self.n_samples = n_samples
        self.path = path
        self.peak = peak
        self.group_by = group_by
        self.classes = classes
        self.labels = self._labels(classes) if classes else {}

    def fingerprint(self) -> str:
        """SHA-256 over each candidate's name, size and content, and over the settings that change the sounds."""
        settings: list[object] = [_VERSION, self.sample_rate, self.channels, self.peak, self.group_by]
        settings += [sorted(self.labels.items())] if self.classes else []
        total = hashlib.sha256(json.dumps(settings).encode())
        for candidate in self._candidates():
            if isinstance(candidate, Listed):
                try:
                    content = contents(candidate.path)
                    entry = f"{len(content)} {hashlib.sha256(content).hexdigest()}"
                except OSError as error:
                    entry = f"unreadable: {in_plain_words(error)}"
                # The length of the name keeps one name from running into the next entry.
                total.update(b"%d %b %b\n" % (len(candidate.relative), candidate.relative, entry.encode()))
        return total.hexdigest()

    def read(self) -> Iterator[Sound | Skipped]:
        """Every file, as a sound or with the reason why not."""
        return self._read(self._candidates())

    def names(self) -> Iterator[tuple[str, str, str]]:
        """Name, group and label of every file that looks like audio, without decoding it."""
        for candidate in self._candidates():
            if isinstance(candidate, Listed):
                yield candidate.name, self._group(candidate.name), self.labels.get(candidate.name, "")

    def _labels(self, classes: Path) -> Mapping[str, str]:
        try:
            names = [candidate.name for candidate in self._candidates()]
        except OSError:  # reading says what is wrong with the folder
            return {}
        return read_classes(classes, names)

    def _group(self, name: str) -> str:
        folder = name.rpartition("/")[0]
        return folder if folder and self.group_by == "folder" else name

    def _read(self, files: list[Listed | Skipped]) -> Iterator[Sound | Skipped]:
        first_names: dict[bytes, str] = {}
        whole: set[bytes] | None = None
        for number, read in enumerate(self._verdicts(files)):
            if read.damaged and whole is None:
                # Rare enough to read the rest once more: whether it is there undamaged is not known before.
                rest = self._verdicts(files[number + 1 :])
                whole = {digest(s) for later in rest if not later.damaged for s in later.sounds()}
            for item in read.items:
                if isinstance(item, Skipped):
                    yield item
                    continue
                content = digest(item)
                first = first_names.get(content)
                if first is None and read.damaged and whole and content in whole:
                    yield Skipped(item.name, "damaged, and the same sound is there whole", lost=False)
                elif first is None:
                    first_names[content] = item.name
                    yield item
                else:
                    yield Skipped(item.name, f"the same sound as {first}", lost=False)

    def _verdicts(self, files: list[Listed | Skipped]) -> Iterator["_Verdict"]:
        """What each file gives, in their order; decoded ahead, in as many processes as there are cores."""
        n_decoders = min(MOST_DECODERS, n_cores()) if len(files) > _FEW else 1
        with ExitStack() as stack:
            decoders = [stack.enter_context(Decoder()) for _ in range(n_decoders)]
            for given, found in decoded_ahead(map(opened, files), decoders):
                if isinstance(given, Skipped):
                    yield _Verdict((given,))
                elif isinstance(found, Decoded):
                    yield self._judged(given, found)
                else:
                    yield _Verdict((Skipped(given.file.name, str(found) if found else "empty file"),))

    def _candidates(self) -> list[Listed | Skipped]:
        return candidates(self.path, self.classes)

    def _judged(self, given: Opened, decoded: Decoded) -> "_Verdict":
        """The sounds of a file with all that is to be said of them, or why there is none."""
        name, audio = given.file.name, decoded.audio
        reason = fault(audio)
        if not reason and audio.shape[1] < _SHORTEST_S * decoded.rate:
            reason = (
                f"too short: {audio.shape[1]} of at least {math.ceil(_SHORTEST_S * decoded.rate)} samples"
            )
        finished, channel_note = (None, reason) if reason else self._converted(decoded)
        if finished is None:
            return _Verdict((Skipped(name, channel_note),))
        damage = [note for note in (given.note, judging.shortage(given.content, decoded)) if note]
        label = self.labels.get(name, "")
        notes = [
            *damage,
            *judging.file_notes(name, decoded),
            *judging.sound_notes(audio, decoded.encoding),
            *clip_judging.rate_notes(decoded.rate, self.sample_rate),
            channel_note,
            f"no class in {self.classes.name}" if self.classes and not label else "",
        ]
        sounds = self._cut(Sound(name, self._group(name), finished, label=label), list(filter(None, notes)))
        return _Verdict(tuple(sounds), damaged=bool(damage))

    def _cut(self, sound: Sound, notes: list[str]) -> Iterator[Sound]:
        """The sound from its onset on; or each hit of a recording, where that would be little of it."""
        audio, rate = sound.audio, self.sample_rate
        start, found = conversion.onset(audio, rate), list[int]()
        if not clip_judging.is_most(audio, start, self.n_samples):
            found = pieces.hits(audio, rate, self.n_samples)
        if len(found) > 1:
            told = "; ".join([*notes, f"one of {len(found)} hits in {audio.shape[1] / rate:.1f} s"])
            for number, piece in enumerate(pieces.pieces(audio, found, rate, self.peak)):
                yield evolve(
                    sound, name=f"{sound.name}/{number:03d}", audio=piece, note=told, whole=sound.name
                )
            return
        if found and clip_judging.gains(audio, start, found[0], self.n_samples):
            start = found[0]
        notes = [*notes, *clip_judging.clip_notes(audio, start, self.n_samples, rate)]
        yield evolve(sound, start=start, note="; ".join(notes))

    def _converted(self, decoded: Decoded) -> tuple[NDArray[np.float32] | None, str]:
        """The finished sound and a note on its channels, or None and the reason why there is none."""
        loudest = float(np.abs(decoded.audio).max())
        if loudest < judging.SILENT_PEAK:
            return None, f"silent: peak {loudest:.2g}"
        # At a peak of 1 nothing on the way can overflow, not even a file of 1e38.
        mixed, note = fitting.to_channels(decoded.audio / np.float32(loudest), self.channels)
        left = clip_judging.mixing_loss(decoded.audio / np.float32(loudest), mixed)
        if left < clip_judging.CANCELLED:
            return None, "silent: its channels cancel"
        if left < clip_judging.WEAKENED:
            note += f", which cancel in part: {left:.0%} of the power is left"
        free = conversion.without_offset(mixed, decoded.rate)
        audio = conversion.faded(fitting.to_rate(free, decoded.rate, self.sample_rate), self.sample_rate)
        level = float(np.abs(audio).max())
        if level * loudest < judging.SILENT_PEAK:
            swings = float(np.ptp(decoded.audio, axis=1).max()) >= judging.SILENT_PEAK
            cause = "its channels cancel" if swings else "nothing but an offset"
            return None, f"silent: {cause}"
        audio *= np.float32((self.peak or min(1.0, level * loudest)) / level)
        audio[np.abs(audio) < np.finfo(np.float32).tiny] = 0
        return np.ascontiguousarray(audio), note


@dataclass(frozen=True, eq=False)
class _Verdict:
    """All that one file gives."""

    items: tuple[Sound | Skipped, ...]
    damaged: bool = False
    """Whether its header promises another length than there is."""

    def sounds(self) -> Iterator[Sound]:
        return (item for item in self.items if isinstance(item, Sound))


def digest(sound: Sound) -> bytes:
    """What makes two sounds one: all samples, whatever their files are."""
    return hashlib.sha256(sound.audio.tobytes()).digest()
