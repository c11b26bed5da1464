"""A distance between spectrograms at several window lengths."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.linalg import vector_norm

from flowvae.contracts import Refused, Stft
from flowvae_components.spectra.soft_magnitude import soft_magnitude

QUIET = 1e-3
"""A target below this level (-60 dB) is weighed as if it had it: divided by its own level alone, one silent
sound would outweigh a batch."""


class MultiResolutionSTFT(nn.Module):
    """Compares magnitudes relative to the loudness of the target, and their logarithms.

    Formula: mean over windows of convergence + logarithm, with X, Y the magnitudes of target and estimate,
        convergence = mean over items of |Y - X| / |X|, |.| the Frobenius norm of one item,
        logarithm = mean of |ln Y - ln X|.
        X and Y rest on `floor` (see soft_magnitude). The norm is taken for each item and channel, for over a
        batch the loud ones would decide alone. The floor of -80 dB lies under what a decay still shows of
        itself and over the rounding noise of 16 bits, so the padded tail of a short sound counts once
        something is audible in it, and not for the noise that it holds.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: both parts are relative; an estimate of twice the amplitude costs 1 + ln 2.
    Parameters:
        n_ffts: window lengths in samples; half of the longest must be shorter than the clip.
        overlap: how many windows cover a sample; the hop is n_fft / overlap.
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: Yamamoto, Song and Kim 2020 (Parallel WaveGAN), arxiv.org/abs/1910.11480.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 1, 4096)
    >>> MultiResolutionSTFT(stft)(x, x)
    tensor(0.)
    """

    def __init__(
        self,
        stft: Stft,
        *,
        n_ffts: tuple[int, ...] = (2048, 512, 128),
        overlap: int = 4,
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        if not n_ffts:
            raise Refused("n_ffts", "n_ffts must name at least one window length, got none")
        if not 1 <= overlap <= min(n_ffts):
            raise Refused("overlap", f"overlap must be from 1 to the shortest window, got {overlap}")
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.stft, self.n_ffts, self.overlap, self.floor = stft, n_ffts, overlap, floor

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return torch.stack([self._distance(target, estimate, n_fft) for n_fft in self.n_ffts]).mean()

    def _distance(self, target: Tensor, estimate: Tensor, n_fft: int) -> Tensor:
        x, y = (
            soft_magnitude(
                self.stft(audio, n_fft, n_fft // self.overlap), full_scale=n_fft / 4, floor=self.floor
            )
            for audio in (target, estimate)
        )
        size = (x.square() + QUIET**2).sum(dim=(1, 2)).sqrt()
        convergence: Tensor = vector_norm(y - x, dim=(1, 2)) / size
        return convergence.mean() + (y.log() - x.log()).abs().mean()
