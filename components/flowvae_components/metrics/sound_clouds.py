"""Sets of sounds as clouds of vectors, scaled by the spread of the real ones."""

from jaxtyping import Float
from torch import Tensor

from flowvae_components.metrics.discrepancy import discrepancy, spread
from flowvae_components.spectra.mel_statistics import MelStatistics

LEAST_DB = 0.1
"""A statistic that varies by less than a tenth of a decibel over the real sounds is rounding, or silence in all."""


class SoundClouds:
    """What all metrics of sets of sounds share: one embedding, one scale, one distance.

    Formula: vector = MelStatistics(sound) / spread(MelStatistics(real sounds)).
    Shapes: (n, c, t) -> (n, 648).
    Units: spreads of the real sounds.
    Source: see MelStatistics and discrepancy.

    >>> import torch
    >>> hits = torch.randn(4, 1, 2000) * torch.tensor([0.1, 0.2, 0.4, 0.8])[:, None, None]
    >>> bool(SoundClouds(44100).distance(hits, 0 * hits) > SoundClouds(44100).distance(hits, -hits))
    True
    """

    def __init__(self, sample_rate: int) -> None:
        self.statistics = MelStatistics(sample_rate)

    def vectors(
        self, real: Float[Tensor, "n c t"], *others: Float[Tensor, "_ c t"]
    ) -> list[Float[Tensor, "_ e"]]:
        """The vectors of the real sounds, and of each other set in the same scale."""
        reference = self.statistics(real)
        scale = spread(reference, least=LEAST_DB)
        return [reference / scale, *(self.statistics(other) / scale for other in others)]

    def distance(self, real: Float[Tensor, "n c t"], other: Float[Tensor, "m c t"]) -> Float[Tensor, ""]:
        """The discrepancy in thousandths, in the precision of the sounds."""
        return (1000 * discrepancy(*self.vectors(real, other))).to(real.dtype)
