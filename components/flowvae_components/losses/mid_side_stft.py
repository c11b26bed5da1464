"""A distance between stereo sounds, in what their channels share and in what they differ."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused, Stft
from flowvae_components.spectra.multi_resolution import MultiResolution, loudness, magnitude_distance


class MidSideSTFT(nn.Module):
    """Compares sum and difference of two channels, and each channel: what is between them has a price of its own.

    Formula: (d(mid) + d(side) + left_right * (d(left) + d(right))) / (1 + 2 * left_right), each d the mean over
        windows of the distance of multi_resolution_stft (convergence + logarithm), with
        mid = (left + right) / 2 and side = (left - right) / 2.
        At half the sum, duplicated mono has mid = left = right and costs what its one channel costs alone. A side
        that is silent, as in duplicated mono, has nothing to be relative to: the convergence of mid and of side is
        relative to the louder of both in the target.
    Shapes: target and estimate (b, 2, t) -> scalar.
    Units: all parts are relative.
    Parameters:
        left_right: what left and right weigh each, beside 1 each for sum and difference; 0 leaves them out
        n_ffts: window lengths in samples; half of the longest must be shorter than the clip.
        overlap: how many windows cover a sample; the hop is n_fft / overlap.
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: Steinmetz et al. 2021, Automatic multitrack mixing, arxiv.org/abs/2010.10291 (sum and difference); left and
        right beside them, all four alike, as in the autoencoders of stable-audio-tools.
    Errors: Refused for sounds whose number of channels is not 2.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 2, 4096)
    >>> MidSideSTFT(stft)(x, x)
    tensor(0.)
    """

    within_clip: tuple[str, ...] = ("n_ffts",)

    def __init__(
        self,
        stft: Stft,
        *,
        left_right: float = 1.0,
        n_ffts: tuple[int, ...] = (2048, 512, 128),
        overlap: int = 4,
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        if left_right < 0:
            raise Refused("left_right", f"left_right must not be below 0, got {left_right}")
        self.spectra = MultiResolution(stft, n_ffts, overlap, floor)
        self.left_right = left_right

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        if target.shape[1] != 2:
            raise Refused(
                "use",
                f"sum and difference need two channels (model.channels = 2), got {target.shape[1]}",
            )
        between = self._between(_mid_side(target), _mid_side(estimate))
        if self.left_right == 0:
            return between
        # The mean over items is that over both channels: d(left) + d(right) is twice it.
        alone = 2 * self.left_right * self.spectra.distance(target, estimate)
        return (between + alone) / (1 + 2 * self.left_right)

    def _between(self, target: Tensor, estimate: Tensor) -> Tensor:
        """d(mid) + d(side): twice the mean over both."""
        distances = []
        for n_fft in self.spectra.n_ffts:
            x, y = self.spectra.magnitude(target, n_fft), self.spectra.magnitude(estimate, n_fft)
            louder = loudness(x).reshape(-1, 2).amax(dim=1)
            distances.append(magnitude_distance(x, y, louder.repeat_interleave(2)))
        return 2 * torch.stack(distances).mean()


def _mid_side(audio: Tensor) -> Tensor:
    left, right = audio.unbind(1)
    return torch.stack((left + right, left - right), dim=1) / 2
