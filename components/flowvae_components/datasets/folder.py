"""Sounds from a folder of audio files, whatever they are and however they were made."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from flowvae.contracts import Refused, Skipped, Sound
from flowvae_components.audio_files import containers, fitting
from flowvae_components.audio_files.decoding import Decoded, Decoder, UndecodableError
from flowvae_components.audio_files.faults import fault
from flowvae_components.audio_files.listing import Listed, in_plain_words, list_files, shown
from flowvae_components.audio_files.opening import contents
from flowvae_components.datasets import clip_judging, conversion, judging
from flowvae_components.datasets.classes import read_classes

# What a fingerprint stands for; a change in how files become sounds raises it.
_VERSION = 3


class Folder:
    """Every usable sound below a folder, and for every other file the reason why it is not.

    Formula: files in the order of their names' bytes; each one decoded by libsndfile in a process of its own, brought
        to the channels and the rate that are asked for, its mean subtracted, its peak set, its last 5 ms faded.
        start = 2 ms before the first sample above -40 dB of the peak. Of files that give the same sound the first
        is used. Links to files are followed, links to folders and hidden files are not.
        group = the folder that a file lies in; a file beside all folders stands for itself. Which folders are kits,
        and which are classes (kicks, snares), is for the split to tell.
        label = what the table of classes says of the file; without one its name may say what it is.
    Shapes: a file (c, t) of any rate -> (channels, t * sample_rate / rate).
    Units: full scale is 1; files from 1 to 768 kHz, to 32 channels, to 10 minutes.
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

    def _read(self, candidates: list[Listed | Skipped]) -> Iterator[Sound | Skipped]:
        first_names: dict[bytes, str] = {}
        with Decoder() as decoder:
            for candidate in candidates:
                if isinstance(candidate, Skipped):
                    yield candidate
                    continue
                sound = self._sound(candidate, decoder)
                if isinstance(sound, Sound):
                    digest = hashlib.sha256(sound.audio.tobytes()).digest()
                    first = first_names.setdefault(digest, sound.name)
                    if first != sound.name:
                        sound = Skipped(sound.name, f"the same sound as {first}")
                yield sound

    def _candidates(self) -> list[Listed | Skipped]:
        """What is tried, and what is not tried and why."""
        folder = os.fsencode(self.path.expanduser())  # names may be any bytes
        found: list[Listed | Skipped] = []
        try:
            listed = list_files(folder)
        except OSError as error:
            missing = (
                "a link that leads nowhere"
                if self.path.expanduser().is_symlink()
                else "there is no such folder"
            )
            what = {FileNotFoundError: missing, NotADirectoryError: "this is not a folder"}
            reason = what.get(type(error), in_plain_words(error))
            raise type(error)(f"{shown(folder)}: {reason}") from None
        table = os.path.realpath(os.fsencode(self.classes.expanduser())) if self.classes else b""
        for entry in listed:
            if table and os.path.realpath(entry.path) == table:
                continue
            problem = entry.problem or _not_audio(entry)
            found.append(Skipped(entry.name, problem) if problem else entry)
        return found

    def _sound(self, file: Listed, decoder: Decoder) -> Sound | Skipped:
        try:
            content = contents(file.path)
            if not content:
                return Skipped(file.name, "empty file")
            content, length_note = containers.with_length(content)
            decoded = decoder.decode(content)
        except OSError as error:
            return Skipped(file.name, in_plain_words(error))
        except UndecodableError as error:
            return Skipped(file.name, str(error))
        reason = fault(decoded.audio)
        if reason:
            return Skipped(file.name, reason)
        notes = judging.file_notes(file.name, content, decoded) + judging.sound_notes(
            decoded.audio, decoded.encoding
        )
        audio, channel_note = self._converted(decoded)
        if audio is None:
            return Skipped(file.name, channel_note)
        label = self.labels.get(file.name, "")
        unlabelled = f"no class in {self.classes.name}" if self.classes and not label else ""
        start = conversion.onset(audio, self.sample_rate)
        notes += clip_judging.rate_notes(decoded.rate, self.sample_rate)
        notes += clip_judging.clip_notes(audio, start, self.n_samples, self.sample_rate)
        note = "; ".join(filter(None, [length_note, *notes, channel_note, unlabelled]))
        return Sound(file.name, self._group(file.name), audio, start, note, label)

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
        audio = fitting.to_rate(mixed, decoded.rate, self.sample_rate)
        audio = conversion.faded(audio - conversion.offset_of(audio, self.sample_rate), self.sample_rate)
        level = float(np.abs(audio).max())
        if level * loudest < judging.SILENT_PEAK:
            swings = float(np.ptp(decoded.audio, axis=1).max()) >= judging.SILENT_PEAK
            cause = "its channels cancel" if swings else "nothing but an offset"
            return None, f"silent: {cause}"
        audio *= np.float32((self.peak or min(1.0, level * loudest)) / level)
        audio[np.abs(audio) < np.finfo(np.float32).tiny] = 0
        return np.ascontiguousarray(audio), note


def _not_audio(file: Listed) -> str:
    if containers.named_like_audio(file.name):
        return ""
    try:
        head = contents(file.path, containers.N_MAGIC_BYTES)
    except OSError as error:
        return in_plain_words(error)
    return "" if containers.starts_like_audio(head) else "not audio"
