"""How far a reconstruction's spectrogram is from the real one."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence, Refused
from flowvae_components.spectra.soft_magnitude import soft_magnitude

CHUNK = 64
"""Sounds that are transformed at a time: bounds the memory, whatever the size of the set."""


class SpectralDistance(nn.Module):
    """The log-spectral distance of each reconstruction, averaged over window lengths.

    Formula: mean over windows, channels and frames of sqrt(mean over f of (20 log10(Y / X))^2), with X, Y the
        magnitudes of the real sound and of the estimate, resting on `floor` (see soft_magnitude).
        The windows are other than those of the losses, so that no loss is measured with its own ruler. A tail
        that is silent in both adds nothing; one that only the estimate fills counts in full.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: dB; 0 where both are equal. The ends are filled up with silence, so any length will do.
    Parameters:
        n_ffts: window lengths in samples; the hop is a quarter of each.
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: Gray and Markel 1976, "Distance measures for speech processing".

    >>> x = torch.randn(3, 1, 2000)
    >>> codes = torch.zeros(3, 2)
    >>> SpectralDistance()(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0]))
    tensor([0., 0., 0.])
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "dB"
    family: str = "spectral"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, *, n_ffts: tuple[int, ...] = (4096, 1024, 256, 64), floor: float = 1e-4) -> None:
        super().__init__()
        if not n_ffts or min(n_ffts) < 4:
            raise Refused(
                "n_ffts", f"n_ffts must name at least one window of 4 samples or more, got {n_ffts}"
            )
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.n_ffts, self.floor = n_ffts, floor

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        pairs = zip(torch.split(evidence.real, CHUNK), torch.split(evidence.estimate, CHUNK), strict=True)
        return torch.cat([self._distance(real, estimate) for real, estimate in pairs])

    def _distance(self, real: Tensor, estimate: Tensor) -> Tensor:
        distances = []
        for n_fft in self.n_ffts:
            difference = self._decibels(estimate, n_fft) - self._decibels(real, n_fft)
            frames = difference.square().mean(dim=1).sqrt()
            distances.append(frames.view(*real.shape[:2], -1).mean(dim=(1, 2)))
        return torch.stack(distances).mean(dim=0)

    def _decibels(self, audio: Tensor, n_fft: int) -> Tensor:
        window = torch.hann_window(n_fft, dtype=audio.dtype, device=audio.device)
        spectrum = torch.stft(
            audio.flatten(0, 1), n_fft, n_fft // 4, window=window, pad_mode="constant", return_complex=True
        )
        return 20 * soft_magnitude(spectrum, full_scale=n_fft / 4, floor=self.floor).log10()
