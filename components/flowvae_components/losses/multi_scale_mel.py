"""A distance between mel spectrograms at many window lengths."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused, Stft
from flowvae_components.spectra.mel_filters import mel_filters
from flowvae_components.spectra.soft_magnitude import soft_magnitude


class MultiScaleMel(nn.Module):
    """Compares the logarithms of mel spectra, from windows that see an attack to windows that see a pitch.

    Formula: sum over windows of mean |log10 max(mel Y, floor) - log10 max(mel X, floor)|, with X, Y the
        magnitudes of target and estimate, unscaled, and a hop of n_fft / overlap.
        Below the floor both the value and the gradient are cut off, so that silence pulls at nothing.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: decades of amplitude, summed over the windows.
    Parameters:
        n_ffts: window lengths in samples, each a multiple of overlap.
        n_mels: number of mel bands at each window.
        floor: the smallest mel amplitude that is told from silence, in the scale of an unscaled transform.
        overlap: how many windows cover a sample; 2 costs half of what 4 does.
    Source: Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546, section 3.4.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 1, 4096)
    >>> MultiScaleMel(44100, stft)(x, x)
    tensor(0.)
    """

    within_clip: tuple[str, ...] = ("n_ffts",)

    def __init__(
        self,
        sample_rate: int,
        stft: Stft,
        *,
        n_ffts: tuple[int, ...] = (32, 64, 128, 256, 512, 1024, 2048),
        n_mels: tuple[int, ...] = (5, 10, 20, 40, 80, 160, 320),
        floor: float = 1e-5,
        overlap: int = 4,
    ) -> None:
        super().__init__()
        if not n_ffts or len(n_mels) != len(n_ffts):
            raise Refused(
                "n_mels",
                f"n_mels must have one entry for each of n_ffts, got {len(n_mels)} for {len(n_ffts)}",
            )
        if overlap < 1:
            raise Refused("overlap", f"overlap must be at least 1, got {overlap}")
        if any(n_fft < 4 or n_fft % overlap for n_fft in n_ffts):
            raise Refused("n_ffts", f"n_ffts must be 4 or more, and multiples of {overlap}, got {n_ffts}")
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.stft, self.n_ffts, self.floor, self.overlap = stft, n_ffts, floor, overlap
        for scale, (n_fft, n_bands) in enumerate(zip(n_ffts, n_mels, strict=True)):
            self.register_buffer(
                f"filters_{scale}", mel_filters(sample_rate, n_fft, n_bands), persistent=False
            )

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        # Autocast would round the filtering to half precision, and with it everything 40 dB under the loudest.
        with torch.autocast(target.device.type, enabled=False):
            return torch.stack(
                [
                    (self._log_mel(estimate, scale) - self._log_mel(target, scale)).abs().mean()
                    for scale in range(len(self.n_ffts))
                ]
            ).sum()

    def _log_mel(self, audio: Tensor, scale: int) -> Tensor:
        n_fft = self.n_ffts[scale]
        # Far enough below the floor to move no value; it is there for the gradient near silence.
        magnitude = soft_magnitude(
            self.stft(audio, n_fft, n_fft // self.overlap), full_scale=1.0, floor=self.floor / 10
        )
        # Frames in front of bins, as the transform lies in memory: half the time of filters @ magnitude.
        mel = magnitude.transpose(1, 2) @ self.get_buffer(f"filters_{scale}").T
        return mel.clamp_min(self.floor).log10()
