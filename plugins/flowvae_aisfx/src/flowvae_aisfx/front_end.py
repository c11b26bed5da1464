"""Sounds as the network wants to see them."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torchaudio.functional import melscale_fbanks, resample

RATE = 44_100
N_FFT, HOP = 2048, 1024
N_MELS = 96
N_FRAMES = 100
"""2.3 s. The network was trained on blocks of this length, and its output depends on how much of one is silence."""
GAIN = 0.5
"""The loader that the network was trained with takes 6 dB off every sound."""
BRIGHTEST = 9.457798957824707
"""The largest value in the authors' training set, by which all are divided."""


class FrontEnd(nn.Module):
    """The mel spectrogram of one block, compressed.

    Formula: log10(1 + 10^4 * filters @ |X|^2) / BRIGHTEST, X the short-time spectrum under a Hann window of 2048 samples at
        a hop of 1024, of half the mean over channels; 96 triangles on HTK's mel scale from 0 to 22050 Hz, each with the
        sum 1. Cut to 100 frames, or filled up to them with zeros.
    Shapes: (n, c, t) -> (n, 100, 96).
    Units: none; silence is 0. Sounds of another rate are resampled to 44.1 kHz.
    Source: Ma and Lerch 2022; aisfx 0.1.2, spectrogram_essentia.py and preprocessing.py, written anew.

    >>> FrontEnd(44100)(torch.zeros(2, 1, 3000)).shape
    torch.Size([2, 100, 96])
    """

    filters: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        filters = melscale_fbanks(N_FFT // 2 + 1, 0.0, RATE / 2, N_MELS, RATE, norm=None, mel_scale="htk")
        self.register_buffer("filters", filters / filters.sum(dim=0), persistent=False)

    def forward(self, audio: Float[Tensor, "n c t"]) -> Float[Tensor, "n m k"]:
        mono = GAIN * resample(audio.mean(dim=1), self.sample_rate, RATE)
        window = torch.hann_window(N_FFT, dtype=mono.dtype, device=mono.device)
        spectrum = torch.stft(mono, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)
        bands = spectrum.abs().square().transpose(1, 2)[:, :N_FRAMES] @ self.filters.to(mono)
        seen: Tensor = torch.log10(1 + 1e4 * bands) / BRIGHTEST
        return functional.pad(seen, (0, 0, 0, N_FRAMES - seen.shape[1]))
