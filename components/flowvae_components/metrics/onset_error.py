"""When things begin in a reconstruction."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Evidence, Refused

FLOOR = 1e-4
"""Onsets that come to less than one of -80 dB in all are rounding; their share is taken of this instead."""


class OnsetError(nn.Module):
    """The share of a sound's onsets that are elsewhere in its reconstruction.

    Formula: sum |g(y) - g(x)| / sum (g(y) + g(x)) over frames, g(x) = f(x) / sum of f(x), f the spectral flux: the sum
        over bins and channels of max(0, |X_n| - |X_(n-1)|), with X the short-time spectrum under a Hann window, and
        silence before the first frame.
        Only where strength rises counts, and what part of all rising it is: level does not, and neither does spectrum.
        Flux follows the loud: a soft beginning under a loud one is not heard. An onset that is late by less than a
        window counts in part; see attack_error for how fast a hit rises, at a finer grain.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: a share: 0 where all onsets agree, 1 where none does or only one of the two sounds is silent.
    Parameters:
        window_ms: length of the window in milliseconds; frames follow each other at a quarter of it.
    Source: spectral flux as in Dixon 2006, "Onset detection revisited"; the error is the distance in total variation.

    >>> x, codes = torch.zeros(1, 1, 4000), torch.zeros(1, 2)
    >>> x[..., 1000] = 1.0
    >>> late = Evidence(real=x, estimate=0.1 * x.roll(1000, 2), generated=x, codes=codes, kl=codes[:, 0])
    >>> OnsetError(44100)(late)
    tensor([1.])
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "share"
    family: str = "onset"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, sample_rate: int, *, window_ms: float = 10.0) -> None:
        super().__init__()
        if window_ms <= 0:
            raise Refused("window_ms", f"window_ms must be above 0, got {window_ms}")
        self.n_fft = max(4, round(window_ms * sample_rate / 1000))

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        x, y = self._curve(evidence.real), self._curve(evidence.estimate)
        total = (x + y).sum(dim=1)
        return torch.where(total > 0, (y - x).abs().sum(dim=1) / total, 0.0)

    def _curve(self, audio: Tensor) -> Tensor:
        """How the rising of a sound is spread over its frames; sums to 1, or to less where there is next to none."""
        window = torch.hann_window(self.n_fft, dtype=audio.dtype, device=audio.device)
        spectrum = torch.stft(
            audio.flatten(0, 1),
            self.n_fft,
            self.n_fft // 4,
            window=window,
            pad_mode="constant",
            return_complex=True,
        )
        # In units of full scale: an impulse and the beginning of a sine of amplitude 1 both come to about 2.
        magnitude = functional.pad(spectrum.abs() * (4 / self.n_fft), (1, 0))
        rising = magnitude.diff(dim=2).clamp_min(0).sum(dim=1)
        flux: Tensor = rising.view(*audio.shape[:2], -1).sum(dim=1)
        return flux / flux.sum(dim=1, keepdim=True).clamp_min(FLOOR)
