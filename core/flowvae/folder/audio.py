"""Audio for people: WAV files on the local disk, which hold what a network makes, beyond full scale too."""

import io
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from flowvae.folder.files import write_bytes


def beyond_full_scale(audio: Tensor) -> str:
    """How much of a sound is louder than what a file of whole numbers, or a loudspeaker, takes, in words; "" where nothing is.

    >>> beyond_full_scale(torch.tensor([[0.5, 1.25, -1.75]])), beyond_full_scale(torch.tensor([[0.5, -1.0]]))
    ('2 samples beyond full scale, highest 1.75', '')
    """
    level = audio.detach().float().abs()
    count = int((level > 1.0).sum())
    samples = f"{count} sample{'s' if count > 1 else ''}"
    return f"{samples} beyond full scale, highest {float(level.max()):.2f}" if count else ""


def wav_bytes(audio: Tensor, sample_rate: int) -> bytes:
    """(c, t) as a WAV file in 16 bits, or in floating point where it goes beyond full scale and would be cut there.

    Errors: ValueError for a sound that is not finite: silence in its place would be another sound.
    """
    samples = audio.detach().float().cpu()
    if not bool(torch.isfinite(samples).all()):
        raise ValueError("a sound that is not finite")
    buffer, fits = io.BytesIO(), not beyond_full_scale(samples)
    written = samples.clamp(-1.0, 32767 / 32768) if fits else samples  # 1 itself is no 16-bit number
    soundfile.write(
        buffer, written.T.numpy(), sample_rate, format="WAV", subtype="PCM_16" if fits else "FLOAT"
    )
    return buffer.getvalue()


def write_wav(path: Path, audio: Tensor, sample_rate: int) -> str:
    """Writes (c, t) whole or not at all; gives what is wrong with the sound, in words, or "".

    A sound that is not finite is not written.
    """
    if not bool(torch.isfinite(audio).all()):
        return f"{int((~torch.isfinite(audio)).sum())} samples are no numbers, not written"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, wav_bytes(audio, sample_rate))
    return beyond_full_scale(audio)
