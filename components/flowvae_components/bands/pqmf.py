"""A near-perfect cosine-modulated filter bank, with ends as good as the middle."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused

# Cut-off times n_bands in radians for a prototype of 24 * n_bands + 1 taps: where the largest autocorrelation at
# the multiples of 2 * n_bands samples is smallest (Lin and Vaidyanathan). The number of bands cancels out.
_CUTOFFS = {70: 1.69042, 80: 1.69977, 90: 1.70818, 100: 1.7164}
_TAPS_PER_BAND = 24


class PQMF(nn.Module):
    """Splits audio into equal bands at a lower rate, and joins them again.

    Formula: bands[k, m] = flip * sum over n of h_k[n] * audio[m * M + M // 2 + n], M = n_bands, with
        h_k[n] = 2 * sqrt(M) * p[n] * cos((2 * k + 1) * pi * n / (2 * M) + (-1)^k * pi / 4), p a Kaiser-windowed
        low-pass of 24 * M + 1 taps; flip is -1 for odd bands at odd m, so that low frequencies are low in every
        band. Synthesis is the transpose. Rows that would lie outside the sound are missing, so the first and the
        last 12 * M samples are multiplied by a matrix that makes the transform orthogonal there, before or after.
        With means = "removed", synthesis takes each band's mean over the clip off first.
    Shapes: (b, c, t) -> (b, c * M, t / M) and back, the bands of channel 0 first; t is a multiple of M and at least
        24 * M. In fp32 (or fp64) inside autocast too.
    Units: amplitude; white noise of standard deviation 1 gives bands of standard deviation 1, so a full-scale tone
        may reach sqrt(M) in its band.
    Parameters:
        n_bands: the number of bands and the factor by which the rate falls, 2 or more and even
        attenuation_db: how far a band is silent in others than its neighbours; the error of reconstruction is
            about -56, -62, -64 and -60 dB for 70, 80, 90 and 100
        means: what synthesis does with the mean of each band, which is heard as a steady tone at a multiple of half the
            sample rate over M, where the bands meet, however the sound dies away. "kept" gives back what analysis took;
            "removed" is free of these tones, and lacks what drums have there: -22 to -35 dB of their energy
    Source: Nguyen 1994, Near-perfect-reconstruction pseudo-QMF banks; Lin and Vaidyanathan 1998, A Kaiser window
        approach for the design of prototype filters. The ends: the polar factor of a truncated orthogonal matrix.
    Errors: ValueError for an odd or too small n_bands, and for sounds of unfit length.

    >>> bank = PQMF(n_bands=4)
    >>> bank.analysis(torch.zeros(2, 1, 128)).shape
    torch.Size([2, 4, 32])
    """

    filters: Tensor
    first: Tensor
    last: Tensor

    def __init__(
        self,
        *,
        n_bands: int = 16,
        attenuation_db: Literal[70, 80, 90, 100] = 90,
        means: Literal["kept", "removed"] = "kept",
    ) -> None:
        super().__init__()
        if n_bands < 2 or n_bands % 2:
            raise Refused("n_bands", f"n_bands must be even and at least 2, got {n_bands}")
        if attenuation_db not in _CUTOFFS:
            raise Refused(
                "attenuation_db", f"attenuation_db must be one of {(*_CUTOFFS,)}, got {attenuation_db}"
            )
        if means not in {"kept", "removed"}:
            raise Refused("means", f'means must be "kept" or "removed", got {means!r}')
        self.n_bands, self.removes_means = n_bands, means == "removed"
        bank = _bank(n_bands, attenuation_db)
        first, last = _ends(bank)
        # Constants of the class stay out of the weights.
        self.register_buffer("filters", _of_two_frames(bank).float(), persistent=False)
        self.register_buffer("first", first.float(), persistent=False)
        self.register_buffer("last", last.float(), persistent=False)

    def analysis(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b k n"]:
        b, c, t = audio.shape
        self._require_length(t)
        n = t // self.n_bands
        with torch.autocast(audio.device.type, enabled=False):
            sound = audio.to(self.filters.dtype).reshape(-1, t)
            # Room for the taps before the first frame and after the last, which is the second of its pair.
            after = (-(-n // 2) - 1) * 2 * self.n_bands + self.filters[0].numel() - self._reach - t
            padded = self._shape_ends(sound, self._reach, after)
            pairs = functional.conv2d(
                _phases_last(padded, 2 * self.n_bands), self.filters.permute(0, 3, 1, 2)
            )
            bands = pairs.permute(0, 2, 3, 1).reshape(len(sound), -1, self.n_bands).transpose(1, 2)
            return bands[..., :n].reshape(b, c * self.n_bands, n)

    def synthesis(self, bands: Float[Tensor, "b k n"]) -> Float[Tensor, "b c t"]:
        b, _, n = bands.shape
        t = n * self.n_bands
        self._require_length(t)
        with torch.autocast(bands.device.type, enabled=False):
            moved = bands.to(self.filters.dtype).reshape(-1, self.n_bands, n)
            if self.removes_means:
                moved = moved - moved.mean(-1, keepdim=True)
            frames = functional.pad(moved, (0, n % 2)).transpose(1, 2).flatten(1)
            phases = functional.conv_transpose2d(
                _phases_last(frames, 2 * self.n_bands), self.filters.permute(0, 3, 1, 2)
            )
            sound = phases.permute(0, 2, 3, 1).flatten(1)[:, self._reach : self._reach + t]
            return self._shape_ends(sound, 0, 0).reshape(b, -1, t)

    @property
    def _reach(self) -> int:
        """How many samples the first frame reads before the start: frames lie in the middle of n_bands samples."""
        return (_TAPS_PER_BAND - 1) * self.n_bands // 2

    def _require_length(self, t: int) -> None:
        least = _TAPS_PER_BAND * self.n_bands
        if t % self.n_bands:
            raise ValueError(f"t must be a multiple of n_bands = {self.n_bands}, got {t}")
        if t < least:
            raise Refused(
                "n_bands",
                f"n_bands must be at most {t // _TAPS_PER_BAND} for {t} samples, got {self.n_bands}",
            )

    def _shape_ends(self, sound: Tensor, before: int, after: int) -> Tensor:
        """The sound with its ends made orthogonal, and with silence around it."""
        size = self.first.shape[0]
        start, middle, end = torch.split(sound, [size, sound.shape[1] - 2 * size, size], dim=1)
        silence = sound.new_zeros(len(sound), before), sound.new_zeros(len(sound), after)
        return torch.cat((silence[0], start @ self.first, middle, end @ self.last, silence[1]), dim=1)


def _phases_last(sound: Tensor, n_phases: int) -> Tensor:
    """(b, t) as (b, phase, 1, t / n_phases), where the phases lie side by side in memory.

    Torch takes its kernel for channels that lie last, the fastest here, for two dimensions only: of one it copies, both ways.
    """
    return sound.view(len(sound), 1, -1, n_phases).permute(0, 3, 1, 2)


def _of_two_frames(bank: Tensor) -> Tensor:
    """(frame and band, 1, step, phase): what two frames at once read of steps of 2 * n_bands samples.

    Of odd bands the second frame has the other sign: so the flip costs nothing.
    """
    n_bands, taps = bank.shape
    flip = 1 - 2 * (torch.arange(n_bands) % 2)[:, None]
    size = 2 * n_bands * -(-(taps + n_bands) // (2 * n_bands))
    even = functional.pad(bank, (0, size - taps))
    odd = functional.pad(bank * flip, (n_bands, size - taps - n_bands))
    return torch.cat((even, odd)).view(2 * n_bands, 1, -1, 2 * n_bands)


def _bank(n_bands: int, attenuation_db: int) -> Tensor:
    """(band, tap) in float64: the rows h_k, which are orthonormal but for the error of the prototype."""
    taps = _TAPS_PER_BAND * n_bands + 1
    n = torch.arange(taps, dtype=torch.float64) - taps // 2
    cutoff = _CUTOFFS[attenuation_db] / n_bands / math.pi  # as a share of the Nyquist frequency
    beta = 0.1102 * (attenuation_db - 8.7)  # Kaiser's rule for more than 50 dB
    window = torch.kaiser_window(taps, periodic=False, beta=beta, dtype=torch.float64)
    prototype = cutoff * torch.sinc(cutoff * n) * window
    k = torch.arange(n_bands, dtype=torch.float64)[:, None]
    phase = (2 * k + 1) * math.pi / (2 * n_bands) * n + (1 - 2 * (k % 2)) * math.pi / 4
    return 2 * math.sqrt(n_bands) * prototype * torch.cos(phase)


def _ends(bank: Tensor) -> tuple[Tensor, Tensor]:
    """The matrices (I - lost)^(-1/2) for the first and the last samples of a sound.

    Analysis A has orthonormal rows on an endless sound; on a clip it lacks the frames before the start and after
    the end, so A' A = I - lost, with lost the sum of the outer products of those rows where they reach into
    the clip. A (A' A)^(-1/2) is the orthogonal matrix nearest to A. Frames sit in the middle of their n_bands
    samples, which keeps the eigenvalues of A' A above 0.49; with frames on the first sample some would be 0.
    """
    n_bands, taps = bank.shape
    size = taps // 2
    # Row j of `before` is what the frame j + 1 steps before the start leaves in samples 0 .. size - 1.
    steps = range(1, _TAPS_PER_BAND // 2 + 1)
    starts = [size + j * n_bands - n_bands // 2 for j in steps]
    before = torch.cat([functional.pad(bank[:, s:], (0, s - taps + size)) for s in starts])
    stops = [size - (j - 1) * n_bands - n_bands // 2 for j in steps]
    after = torch.cat([functional.pad(bank[:, :s], (size - s, 0)) for s in stops])
    return _inverse_root(before), _inverse_root(after)


def _inverse_root(rows: Tensor) -> Tensor:
    kept = torch.eye(rows.shape[1], dtype=rows.dtype) - rows.T @ rows
    values, vectors = torch.linalg.eigh(kept)
    root: Tensor = vectors * values.rsqrt() @ vectors.T
    return root
