"""Judges of the complex spectrum, band by band."""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Judgement, Normalization, Refused, Stft, Stream
from flowvae_components.blocks.geometry import require_positive
from flowvae_components.discriminators.judging import judged

SLOPE = 0.1
"""Of the leaky ReLU, as in the Descript codec."""
OVERLAP = 4
"""Windows that cover a sample."""


class ResolutionDiscriminator(nn.Module):
    """Judges the spectrum at one window length, each band by a stack of its own.

    Formula: for each band five convolutions over (frame, bin), four of 3 x 9, the second to the fourth with a stride of 2 along
        the bins, and one of 3 x 3; then the bands side by side, and one of 3 x 3 to the logits.
    Shapes: spectrum (b, k, frames, bins) -> logits (b, 1, frames, n), features (b, width, frames, n_i), band by band.
    Units: an unscaled spectrum; logits have no unit.
    Source: Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546, section 3.3.

    >>> judge = ResolutionDiscriminator(2, (0, 10, 33), 4, lambda layer: layer)
    >>> logits, features = judge(torch.zeros(1, 2, 7, 33))
    >>> logits.shape, len(features)
    (torch.Size([1, 1, 7, 5]), 10)
    """

    def __init__(
        self, in_channels: int, bins: tuple[int, ...], width: int, normalization: Normalization
    ) -> None:
        super().__init__()
        self.bins = bins
        self.band_convs = nn.ModuleList(
            nn.ModuleList(normalization(layer) for layer in _stack(in_channels, width)) for _ in bins[1:]
        )
        self.conv_post = normalization(nn.Conv2d(width, 1, 3, padding=1))

    def forward(self, spectrum: Float[Tensor, "b k n f"]) -> Judgement:
        features: list[Tensor] = []
        ends = []
        for (low, high), convs in zip(pairwise(self.bins), self.band_convs, strict=True):
            band = spectrum[..., low:high]
            # Channels last in memory: the same values, in five sixths of the time on a processor (one thread).
            end, hidden = judged(convs.children(), nn.Identity(), band, SLOPE, torch.channels_last)
            ends.append(end)
            features += hidden
        return self.conv_post(torch.cat(ends, dim=-1)), features


class MultiResolution(nn.Module):
    """Judges the real and imaginary parts of spectra, so that phase counts, at several window lengths.

    Formula: for each window a Hann transform with a hop of n_fft / 4, its bins cut into bands from int(low * bins) to
        int(high * bins), bins = n_fft / 2 + 1; one ResolutionDiscriminator, leaky ReLU of 0.1 between its layers.
    Shapes: (b, channels, t) -> (b, 2 * channels, frames, bins), a real and an imaginary one for each channel; for each window
        logits (b, 1, frames, n) and five features (b, width, frames, n_i) for each band. There are 1 + t / hop frames, rounded
        down; with match_stride t / hop, rounded up.
    Units: audio is amplitude in [-1, 1]; spectra are not scaled; logits have no unit.
    Parameters:
        n_ffts: window lengths in samples, multiples of 8 that are no longer than the clip
        band_edges: where the bands meet, rising from 0 to 1, as fractions of the bins
        width: channels of every hidden layer
        match_stride: frames as the published codec has them: the clip mirrored by 3/8 of a window at its ends, and no frame that
            reaches further; otherwise centred frames, which are shared with the losses
        normalization: how the weights of the convolutions are held
    Source: Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546, section 3.3.

    >>> def stft(audio, n_fft, hop_length):
    ...     return torch.stft(audio.flatten(0, 1), n_fft, hop_length, window=torch.hann_window(n_fft), return_complex=True)
    >>> from flowvae.testing.streams import SeededStream
    >>> judge = MultiResolution(2, 4096, stft, width=4, normalization=lambda layer: layer)
    >>> [tuple(logits.shape) for logits, features in judge(torch.zeros(1, 2, 4096), SeededStream(0))]
    [(1, 1, 9, 130), (1, 1, 17, 66), (1, 1, 33, 34)]
    """

    within_clip = ("n_ffts",)

    def __init__(
        self,
        channels: int,
        n_samples: int,
        stft: Stft,
        *,
        n_ffts: tuple[int, ...] = (2048, 1024, 512),
        band_edges: tuple[float, ...] = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0),
        width: int = 32,
        match_stride: bool = False,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        require_positive("width", width)
        _require_windows(n_ffts, n_samples)
        self.stft, self.n_ffts, self.match_stride = stft, n_ffts, match_stride
        self.discriminators = nn.ModuleList(
            ResolutionDiscriminator(2 * channels, bins_of(band_edges, n_fft), width, normalization)
            for n_fft in n_ffts
        )

    def forward(self, audio: Float[Tensor, "b c t"], stream: Stream) -> list[Judgement]:
        pairs = zip(self.n_ffts, self.discriminators, strict=True)
        return [discriminator(self.spectrum(audio, n_fft)) for n_fft, discriminator in pairs]

    def spectrum(self, audio: Float[Tensor, "b c t"], n_fft: int) -> Float[Tensor, "b k n f"]:
        """What the judge of one window sees."""
        hop = n_fft // OVERLAP
        if self.match_stride:
            reach = (n_fft - hop) // 2
            # The first and last two of the centred frames are those that reach beyond the mirrored ends.
            audio = functional.pad(audio, (reach, reach + -audio.shape[-1] % hop), mode="reflect")
            spectrum = self.stft(audio, n_fft, hop)[..., 2:-2]
        else:
            spectrum = self.stft(audio, n_fft, hop)
        parts = torch.view_as_real(spectrum.reshape(*audio.shape[:2], *spectrum.shape[1:]))
        return parts.permute(0, 1, 4, 3, 2).flatten(1, 2)


def bins_of(band_edges: tuple[float, ...], n_fft: int) -> tuple[int, ...]:
    """The bin at which each band begins, and the one where the last ends; Refused where a band would be empty.

    >>> bins_of((0.0, 0.1, 0.25, 0.5, 0.75, 1.0), 2048)
    (0, 102, 256, 512, 768, 1025)
    """
    if len(band_edges) < 2 or band_edges[0] < 0 or band_edges[-1] > 1:
        raise Refused("band_edges", f"band_edges must be two or more from 0 to 1, got {band_edges}")
    bins = tuple(int(edge * (n_fft // 2 + 1)) for edge in band_edges)
    if any(low >= high for low, high in pairwise(bins)):
        raise Refused(
            "band_edges",
            f"band_edges must rise by a bin or more each, got {band_edges}, which are the bins {bins} of n_fft = {n_fft}",
        )
    return bins


def _require_windows(n_ffts: tuple[int, ...], n_samples: int) -> None:
    if not n_ffts:
        raise Refused("n_ffts", "n_ffts must name at least one window length, got none")
    for n_fft in n_ffts:
        if n_fft < 8 or n_fft % 8:
            raise Refused("n_ffts", f"n_ffts must be multiples of 8, got {n_fft}")
        if n_fft > n_samples:
            raise Refused(
                "n_ffts", f"n_ffts must be no longer than the {n_samples} samples of the clip, got {n_fft}"
            )


def _stack(in_channels: int, width: int) -> list[nn.Conv2d]:
    strided = [nn.Conv2d(width, width, (3, 9), (1, 2), padding=(1, 4)) for _ in range(3)]
    first = nn.Conv2d(in_channels, width, (3, 9), padding=(1, 4))
    return [first, *strided, nn.Conv2d(width, width, 3, padding=1)]
