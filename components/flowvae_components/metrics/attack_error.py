"""How well a reconstruction hits."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Evidence, Refused

LOUD = 10 ** (-40 / 20)
"""The onset is the first sample within 40 dB of the peak: above the noise of a recording, below any attack."""
FLOOR = 1e-4
"""A real envelope below this level (-80 dB) counts as that loud, so that silence divides by something."""


class AttackError(nn.Module):
    """The relative error of the loudness curve over the first milliseconds of a hit.

    Formula: sum |e(y) - e(x)| / sum e(x) over the window after the onset of the real sound x, with e(x) the
        root of the energy of all channels under a sliding Hann window of 2 ms.
        A curve of loudness, and no spectrum: at the resolution in time that tells a soft attack from a hard
        one, a spectrum has one bin for all that a drum does, and the phase of its low partials would count.
    Shapes: real and estimate (n, c, t) -> (n,).
    Units: a ratio: 0 where the curves are equal, 1 for a silent estimate, 1 for twice the amplitude.
    Parameters:
        duration_ms: length of the attack in milliseconds after the onset.
    Source: the definition is ours; spectral distances with windows of 20 ms and more do not hear an attack that
        is smeared over 5 ms.

    >>> x = torch.randn(3, 1, 2000)
    >>> codes = torch.zeros(3, 2)
    >>> silent = Evidence(real=x, estimate=0 * x, generated=x, codes=codes, kl=codes[:, 0])
    >>> AttackError(44100)(silent).round(decimals=3)
    tensor([1., 1., 1.])
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "ratio"
    family: str = "onset"
    reads: tuple[str, ...] = ("real", "estimate")

    def __init__(self, sample_rate: int, *, duration_ms: float = 20.0) -> None:
        super().__init__()
        if duration_ms <= 0:
            raise Refused("duration_ms", f"duration_ms must be above 0, got {duration_ms}")
        self.n_attack = max(1, round(duration_ms * sample_rate / 1000))
        self.n_window = max(1, round(0.002 * sample_rate))

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        level = evidence.real.abs().amax(dim=1)
        onset = (level > LOUD * level.amax(dim=1, keepdim=True)).to(torch.uint8).argmax(dim=1)
        x, y = (self._envelope(audio, onset) for audio in (evidence.real, evidence.estimate))
        return (y - x).abs().sum(dim=1) / x.sum(dim=1).clamp_min(FLOOR * self.n_attack)

    def _envelope(self, audio: Tensor, onset: Tensor) -> Tensor:
        """The curve from the onset on; past the end of the clip there is silence."""
        window = torch.hann_window(self.n_window, dtype=audio.dtype, device=audio.device)
        energy = audio.square().sum(dim=1, keepdim=True)
        before = self.n_window // 2
        padded = functional.pad(energy, (before, self.n_window - 1 - before + self.n_attack))
        curve = functional.conv1d(padded, (window / window.sum()).view(1, 1, -1)).squeeze(1)
        index = onset[:, None] + torch.arange(self.n_attack, device=audio.device)
        # Rounding may leave a hair below 0 where the sound is silent.
        return curve.gather(1, index).clamp_min(0).sqrt()
