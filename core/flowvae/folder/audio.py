"""Audio for people: WAV files on the local disk, and stereo sound in TensorBoard."""

import io
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from flowvae.folder.files import write_bytes


def wav_bytes(audio: Tensor, sample_rate: int) -> bytes:
    """(c, t) as a WAV file in 16 bits; values beyond full scale are clipped, and what is no number is silence."""
    samples = torch.nan_to_num(audio.detach().float().cpu(), 0.0, 0.0, 0.0).clamp(-1.0, 32767 / 32768)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.T.numpy(), sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def write_wav(path: Path, audio: Tensor, sample_rate: int) -> None:
    """Writes (c, t) whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, wav_bytes(audio, sample_rate))
