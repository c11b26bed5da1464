"""The spectral distance of RAVE, with every sound weighed by itself."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Stft
from flowvae_components.spectra.differences import differences
from flowvae_components.spectra.multi_resolution import MultiResolution, loudness


class RaveSpectral(nn.Module):
    """Compares the power that is wrong with the power of the target, and the logarithms of magnitudes.

    Formula: sum over windows of linear + logarithm, with X, Y the magnitudes of target and estimate,
        linear = mean over items of mean (Y - X)^2 / (mean X^2 + QUIET^2),
        logarithm = mean of |ln Y - ln X|.
        X and Y rest on `floor` (see soft_magnitude). RAVE takes the ratio over the whole batch, where loud sounds
        decide alone and silence divides 0 by 0: here it is taken for each item and channel, and a target below
        -60 dB (QUIET) is weighed as if it had that level. RAVE's floor under the logarithm is 1e-7 of an
        unscaled transform, so that its gradient is steepest in padded silence: here -80 dB of full scale.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: both parts are relative; an estimate of twice the amplitude costs 1 + ln 2 a window.
    Parameters:
        n_ffts: window lengths in samples; half of the longest must be shorter than the clip.
        overlap: how many windows cover a sample; the hop is n_fft / overlap.
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: AudioDistanceV1 in the code of Caillon and Esling 2021 (RAVE), arxiv.org/abs/2111.05011.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 1, 4096)
    >>> RaveSpectral(stft)(x, x)
    tensor(0.)
    """

    within_clip: tuple[str, ...] = ("n_ffts",)

    def __init__(
        self,
        stft: Stft,
        *,
        n_ffts: tuple[int, ...] = (2048, 1024, 512, 256, 128),
        overlap: int = 4,
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        self.spectra = MultiResolution(stft, n_ffts, overlap, floor)

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return torch.stack([self._at(target, estimate, n_fft) for n_fft in self.spectra.n_ffts]).sum()

    def _at(self, target: Tensor, estimate: Tensor, n_fft: int) -> Tensor:
        x, y = self.spectra.magnitude(target, n_fft), self.spectra.magnitude(estimate, n_fft)
        norm, logarithm = differences(x, y)
        return (norm / loudness(x)).square().mean() + logarithm
