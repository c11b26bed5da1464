"""A distance that hears the beginning of a sound more closely than the rest."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused, Stft
from flowvae_components.spectra.multi_resolution import MultiResolution


class OnsetWeighted(nn.Module):
    """Compares the logarithms of short spectra, those of the attack several times over.

    Formula: mean over windows of (sum over frames of w * d) / (sum over frames of w), with
        d[frame] = mean over bins and items of |ln Y - ln X|, X and Y the magnitudes of target and estimate on their
        floor (see soft_magnitude), w = 1 + (weight_on_onset - 1) * fall(time), time = frame * hop / sample_rate,
        fall = 1 up to onset_ms, (1 + cos(pi * (time / onset_ms - 1))) / 2 from there to twice that, 0 after.
        A clip begins just before its onset, so time counts from the start of the clip. A weight of 1 is the plain
        mean over all frames.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: nepers, the natural logarithm of a ratio of amplitudes: ln 2 for an estimate of twice the amplitude.
    Parameters:
        onset_ms: how long the attack is, in milliseconds from the start of the clip
        weight_on_onset: how many times a frame of the attack counts; below 1 the attack counts less
        n_ffts: window lengths in samples: short ones, for a window spreads an attack over its own length.
        overlap: how many windows cover a sample; the hop is n_fft / overlap.
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: no paper; the logarithmic part of Yamamoto, Song and Kim 2020, arxiv.org/abs/1910.11480, with a weight over
        time.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> x = torch.randn(2, 1, 4096)
    >>> OnsetWeighted(44100, stft)(x, 2 * x) < OnsetWeighted(44100, stft)(x, 8 * x)
    tensor(True)
    """

    within_clip: tuple[str, ...] = ("n_ffts",)

    def __init__(
        self,
        sample_rate: int,
        stft: Stft,
        *,
        onset_ms: float = 20.0,
        weight_on_onset: float = 10.0,
        n_ffts: tuple[int, ...] = (512, 256, 128),
        overlap: int = 4,
        floor: float = 1e-4,
    ) -> None:
        super().__init__()
        if onset_ms <= 0:
            raise Refused("onset_ms", f"onset_ms must be above 0, got {onset_ms}")
        if weight_on_onset <= 0:
            raise Refused("weight_on_onset", f"weight_on_onset must be above 0, got {weight_on_onset}")
        self.spectra = MultiResolution(stft, n_ffts, overlap, floor)
        self.n_onset, self.weight_on_onset = onset_ms / 1000 * sample_rate, weight_on_onset

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return torch.stack([self._at(target, estimate, n_fft) for n_fft in self.spectra.n_ffts]).mean()

    def _at(self, target: Tensor, estimate: Tensor, n_fft: int) -> Tensor:
        x, y = self.spectra.magnitude(target, n_fft), self.spectra.magnitude(estimate, n_fft)
        distance = (y.log() - x.log()).abs().mean(dim=(0, 1))
        time = torch.arange(len(distance), device=x.device, dtype=x.dtype) * (n_fft // self.spectra.overlap)
        # Before twice the onset the angle runs from 0 to pi; held at both ends, the cosine needs no case.
        fall = (1 + torch.cos(math.pi * (time / self.n_onset - 1).clamp(0, 1))) / 2
        weight = 1 + (self.weight_on_onset - 1) * fall
        return (weight * distance).sum() / weight.sum()
