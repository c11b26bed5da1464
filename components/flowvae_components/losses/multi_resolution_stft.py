"""A distance between spectrograms at several window lengths."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Stft
from flowvae_components.spectra.multi_resolution import MultiResolution


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

    >>> import torch
    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 1, 4096)
    >>> MultiResolutionSTFT(stft)(x, x)
    tensor(0.)
    """

    within_clip: tuple[str, ...] = ("n_ffts",)

    def __init__(
        self,
        stft: Stft,
        *,
        n_ffts: tuple[int, ...] = (2048, 512, 128),
        overlap: int = 4,
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        self.spectra = MultiResolution(stft, n_ffts, overlap, floor)

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return self.spectra.distance(target, estimate)
