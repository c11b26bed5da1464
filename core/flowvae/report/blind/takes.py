"""The two sounds of a question: found, brought to one loudness and one length, and written so that nothing names them."""

import base64
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.report.loudness import response
from flowvae.report.number_format import plain
from flowvae.report.reading import Run
from flowvae.report.sound_files import RECONSTRUCTION, STEP, numbered
from flowvae.report.sounds import Clip, read_clip

Audio = NDArray[np.float64]

SILENT_PEAK = 1e-4  # 3 steps of 16 bits: below it lies rounding
FURTHEST_DB = 24.0  # lowered by more than this, a sound is compared with the noise of the room
FULL_SCALE = 32767


@frozen(eq=False)
class Couple:
    """Two sounds at one loudness and of one length, as (frames, channels)."""

    one: Audio
    other: Audio
    rate: int


class NotComparable(Exception):  # noqa: N818 - a clip that is left out is no error
    """Why two sounds cannot be asked about."""


def last_step(run: Run) -> int | None:
    """The last step that a run left sounds of."""
    return max(numbered(run.folder / "audio", STEP), default=None)


def sounds_at(run: Run, step: int) -> dict[int, Path]:
    """The reconstructions of a step by the number of their clip."""
    folder = numbered(run.folder / "audio", STEP).get(step)
    return numbered(folder, RECONSTRUCTION) if folder else {}


def title_of(path: Path) -> str:
    """What the clip of a file is called."""
    found = RECONSTRUCTION.fullmatch(path.name)
    return (found[2] if found else "") or path.stem


def couple(one: Path, other: Path) -> Couple:
    """Both sounds, the louder one lowered to the loudness of the other, and both as far as neither is cut at full scale.

    Errors: NotComparable where one cannot be heard, or no level is fair to both.
    """
    if title_of(one) != title_of(other):
        raise NotComparable(f"the other is {title_of(other)}")
    a, b = _read(one), _read(other)
    if a.rate != b.rate:
        raise NotComparable(f"one is of {a.rate} samples a second, the other of {b.rate}")
    channels = max(a.audio.shape[1], b.audio.shape[1])
    # An even number of frames: a payload is read as whole words of 32 bits.
    frames = 2 * -(-max(len(a.audio), len(b.audio)) // 2)
    x, y = (_fitted(clip.audio, frames, channels) for clip in (a, b))
    apart = loudness(x, a.rate) - loudness(y, b.rate)
    if abs(apart) > FURTHEST_DB:
        raise NotComparable(f"one is {plain(abs(apart), 2)} dB louder than the other")
    lowered = 10 ** (-abs(apart) / 20)
    x, y = (x * lowered, y) if apart > 0 else (x, y * lowered)
    fits = 1 / max(1.0, float(np.abs(x).max()), float(np.abs(y).max()))
    return Couple(x * fits, y * fits, a.rate)


def _read(path: Path) -> Clip:
    clip = read_clip(path)
    if clip is None:
        raise NotComparable("one cannot be read")
    if np.abs(clip.audio).max() < SILENT_PEAK:
        raise NotComparable("one is silent")
    return clip


def _fitted(audio: Audio, frames: int, channels: int) -> Audio:
    """A mono sound on as many channels as the other has, silence at the end of the shorter one."""
    wide = np.repeat(audio, channels, axis=1) if audio.shape[1] < channels else audio
    return np.pad(wide, ((0, frames - len(wide)), (0, 0)))


def loudness(audio: Audio, rate: int) -> float:
    """The loudness of a whole sound in LU, as far as two sounds of one length are compared; silence is very far below.

    Formula: -0.691 + 10 log10(sum over channels of the mean square after the K weighting), without gates: a drum is over before
        the first block of 400 ms is. The weighting is the two filters of the standard as functions of frequency.
    Source: ITU-R BS.1770-4.
    """
    spectrum = np.fft.rfft(audio, axis=0)
    energy = np.square(np.abs(spectrum)) * np.square(np.abs(response(len(audio), rate)))[:, None]
    power = 2 * float(energy.sum()) / len(audio) ** 2
    return -0.691 + 10 * float(np.log10(max(power, 1e-30)))


def payload(audio: Audio, draws: np.random.Generator) -> str:
    """A sound as text: 16 bits with a dither of its own, below a mask of its own.

    Two payloads of one sound share no more bytes than those of any two sounds: by reading them nobody can say which sound comes
    twice. The mask keeps no secret, since the page that plays a sound must take it off: a program that does the same and
    compares samples finds what an ear is asked for, as with any sound that is handed out.

    Formula: word 0 is k, drawn; word i is the i-th pair of samples XOR mix(k + i * 0x9E3779B9), all modulo 2^32; mix is
        MurmurHash3's last step.
    """
    dither = draws.random(audio.shape) - draws.random(audio.shape)
    samples = np.clip(np.rint(audio * FULL_SCALE + dither), -FULL_SCALE, FULL_SCALE).astype("<i2")
    words = np.frombuffer(samples.tobytes(), dtype="<u4")
    start = draws.integers(0, 2**32, dtype=np.uint32)
    places = np.arange(1, len(words) + 1, dtype=np.uint32)
    masked = words ^ _mixed(start + places * np.uint32(0x9E3779B9))
    return base64.b64encode(np.concatenate([[start], masked]).astype("<u4").tobytes()).decode("ascii")


def _mixed(x: NDArray[np.uint32]) -> NDArray[np.uint32]:
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))
