"""Magnitudes of a sound at several window lengths, and the distance between two sounds that they give."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.linalg import vector_norm

from flowvae.contracts import Refused, Stft
from flowvae_components.spectra.differences import differences
from flowvae_components.spectra.soft_magnitude import soft_magnitude

QUIET = 1e-3
"""A target below this level (-60 dB) is weighed as if it had it: divided by its own level alone, one silent
sound would outweigh a batch."""


class MultiResolution:
    """Short-time spectra of a sound, from windows that see an attack to windows that see a pitch.

    Formula: distance(x, y) = mean over windows of magnitude_distance(X, Y, loudness(X)), with X, Y the magnitudes
        of both sounds; magnitude = sqrt(|stft / full_scale|^2 + floor^2), hop n_fft / overlap (see soft_magnitude).
    Shapes: audio (b, c, t) -> magnitude (b * c, f, n), an item for each sound and channel; distance is a scalar.
    Units: a sine of amplitude 1 has the magnitude 1 at every window.
    Source: Yamamoto, Song and Kim 2020 (Parallel WaveGAN), arxiv.org/abs/1910.11480.
    Errors: Refused for the key of the loss that holds it: n_ffts, overlap or floor.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> MultiResolution(stft, (64,), 4, 1e-4).magnitude(torch.zeros(2, 1, 256), 64).shape
    torch.Size([2, 33, 17])
    """

    def __init__(self, stft: Stft, n_ffts: tuple[int, ...], overlap: int, floor: float) -> None:
        if not n_ffts:
            raise Refused("n_ffts", "n_ffts must name at least one window length, got none")
        if not 1 <= overlap <= min(n_ffts):
            raise Refused("overlap", f"overlap must be from 1 to the shortest window, got {overlap}")
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.stft, self.n_ffts, self.overlap, self.floor = stft, n_ffts, overlap, floor

    def distance(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        """The mean over all windows."""
        return torch.stack([self._at(target, estimate, n_fft) for n_fft in self.n_ffts]).mean()

    def magnitude(self, audio: Float[Tensor, "b c t"], n_fft: int) -> Float[Tensor, "i f n"]:
        """What one window length shows of a sound."""
        spectrum = self.stft(audio, n_fft, n_fft // self.overlap)
        return soft_magnitude(spectrum, full_scale=n_fft / 4, floor=self.floor)

    def _at(self, target: Tensor, estimate: Tensor, n_fft: int) -> Tensor:
        x, y = self.magnitude(target, n_fft), self.magnitude(estimate, n_fft)
        return magnitude_distance(x, y, loudness(x))


def loudness(x: Float[Tensor, "i f n"]) -> Float[Tensor, " i"]:
    """What a distance from each item is relative to: its own size, and never less than that of a quiet sound.

    Formula: sqrt(sum of (x^2 + QUIET^2)).
    Shapes: (i, f, n) -> (i,).
    Units: those of the magnitude x, times the root of the number of bins.
    Source: Frobenius' norm, kept above 0.

    >>> loudness(torch.ones(1, 5, 5))
    tensor([5.0000])
    """
    n_bins = x[0].numel()
    size: Tensor = (vector_norm(x, dim=(1, 2)).square() + n_bins * QUIET**2).sqrt()
    return size


def magnitude_distance(
    x: Float[Tensor, "i f n"], y: Float[Tensor, "i f n"], size: Float[Tensor, " i"]
) -> Float[Tensor, ""]:
    """How far magnitudes y lie from those of a target x, relative to a size and in their logarithms.

    Formula: mean over items of |y - x| / size, |.| the Frobenius norm of one item, plus mean of |ln y - ln x|.
    Shapes: x and y (i, f, n), size (i,) -> scalar.
    Units: both parts are relative.
    Source: Yamamoto, Song and Kim 2020 (Parallel WaveGAN), arxiv.org/abs/1910.11480.

    >>> x = torch.ones(1, 5, 5)
    >>> magnitude_distance(x, x, loudness(x))
    tensor(0.)
    """
    norm, logarithm = differences(x, y)
    return (norm / size).mean() + logarithm
