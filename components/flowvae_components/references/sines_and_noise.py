"""What a sound is to a synthesizer of partials and filtered noise."""

import math

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor
from torch.nn import functional

from flowvae.contracts import Refused

LOBE = 2
"""Bins on either side of a peak that belong to it: the main lobe of a Hann window is 4 bins wide."""
TINY = 1e-12


class SinesAndNoise:
    """Takes a sound apart into its strongest partials and a noise of the same colour, and puts it together again.

    Formula: X = stft(x). In each frame the n_partials largest peaks of |X| keep their bins and their phases, with 2 bins on
        either side. Of all other bins only the energy in each of n_bands bands is kept (evenly wide in mels): there stands
        noise of that energy, its phase and its spread drawn once for all sounds. y = istft(both).
        No learning and no code: a floor that every model should be above, and of what it does to attacks and tails.
    Shapes: (b, c, t) -> the same; channels are taken apart each by itself, with the same noise.
    Units: amplitude.
    Parameters:
        n_fft: length of a window in samples, even
        n_partials: partials a frame
        n_bands: bands of noise, at most n_fft / 4
    Source: Serra and Smith 1990, Spectral modeling synthesis, Computer Music Journal 14(4); here peaks keep their bins, and
        are not joined to tracks.

    >>> SinesAndNoise(44100)(torch.zeros(1, 1, 4096)).shape
    torch.Size([1, 1, 4096])
    """

    def __init__(
        self, sample_rate: int, *, n_fft: int = 1024, n_partials: int = 16, n_bands: int = 24
    ) -> None:
        if n_fft < 16 or n_fft % 2:
            raise Refused("n_fft", f"n_fft must be even and at least 16, got {n_fft}")
        if n_partials < 0:
            raise Refused("n_partials", f"n_partials must be 0 or more, got {n_partials}")
        if not 1 <= n_bands <= n_fft // 4:
            raise Refused("n_bands", f"n_bands must be from 1 to n_fft / 4 = {n_fft // 4}, got {n_bands}")
        self.n_fft, self.n_partials = n_fft, n_partials
        self.bands = _bands(sample_rate, n_fft, n_bands)

    def __call__(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        window = torch.hann_window(self.n_fft, dtype=audio.dtype, device=audio.device)
        frames = self._stft(audio.flatten(0, 1), window)
        kept = self._partials(frames)
        noise = self._stft(_noise(audio), window)
        rest = torch.where(kept, torch.zeros_like(frames), frames)
        both = torch.where(kept, frames, self._coloured(noise, rest))
        sound = torch.istft(both, self.n_fft, self.n_fft // 4, window=window, length=audio.shape[-1])
        return sound.reshape(audio.shape)

    def _stft(self, audio: Float[Tensor, "i t"], window: Tensor) -> Complex[Tensor, "i f n"]:
        # Silence around the sound, so that its ends have as many windows as its middle; reflected, an attack would echo.
        hop = self.n_fft // 4
        padded = functional.pad(audio, (0, -audio.shape[-1] % hop))
        return torch.stft(padded, self.n_fft, hop, window=window, pad_mode="constant", return_complex=True)

    def _partials(self, frames: Complex[Tensor, "i f n"]) -> Bool[Tensor, "i f n"]:
        """The bins of the largest peaks of each frame."""
        size = frames.abs()
        beside = functional.pad(size, (0, 0, 1, 1))
        peaks = size * ((size > beside[:, :-2]) & (size >= beside[:, 2:]))
        count = min(self.n_partials, size.shape[1])
        least = peaks.topk(count, dim=1).values[:, -1:] if count else torch.full_like(size[:, :1], math.inf)
        chosen = ((peaks >= least) & (peaks > TINY)).to(size.dtype)
        wide = functional.max_pool1d(chosen.transpose(1, 2), 2 * LOBE + 1, stride=1, padding=LOBE)
        return wide.transpose(1, 2) > 0

    def _coloured(
        self, noise: Complex[Tensor, "1 f n"], rest: Complex[Tensor, "i f n"]
    ) -> Complex[Tensor, "i f n"]:
        """The noise with the energy of the rest in each band of each frame."""
        bands = self.bands.to(rest.real)
        wanted, there = (bands @ spectrum.abs().square() for spectrum in (rest, noise))
        # The mean over the frames: in a single one a band of few bins may hold next to nothing, and a gain that evened
        # that out would be without bound.
        return noise * (bands.T @ (wanted / (there.mean(-1, keepdim=True) + TINY)).sqrt())


def _noise(audio: Tensor) -> Float[Tensor, "1 t"]:
    """White noise of the sound's length, the same for all sounds."""
    generator = torch.Generator().manual_seed(0)
    drawn: Tensor = torch.randn(1, audio.shape[-1], generator=generator, dtype=audio.dtype)
    return drawn.to(audio.device)


def _bands(sample_rate: int, n_fft: int, n_bands: int) -> Float[Tensor, "k f"]:
    """Which band each bin is in, 1 there and 0 elsewhere: bands are evenly wide in mels, and none is empty."""
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * sample_rate / n_fft
    mels = 2595 * torch.log10(1 + bins / 700)
    band = (mels / mels[-1] * n_bands).long().clamp(max=n_bands - 1)
    found = torch.unique(band)  # low bands may be narrower than a bin
    return torch.as_tensor(band[None] == found[:, None]).double()
