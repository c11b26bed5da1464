"""What the codes of a run say of its latent space, as figures: what each dimension carries, where the prior lies, what comes
back.
"""

from typing import Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from flowvae.folder.latents import Latents

Kind = Literal["divergence", "signal", "spread"]
USED = 0.01
"""Nats, or a variance: above it a dimension is in use. Burda, Grosse and Salakhutdinov 2016 say 0.01 of a variance; Lucas et
al. 2019 say it of nats."""
FEWEST = 8
"""Below so many sounds a share of neighbours is chance."""


@frozen(eq=False)
class Dimensions:
    """What each dimension carries, the largest first."""

    kind: Kind
    values: NDArray[np.float64]

    @property
    def n_used(self) -> int:
        """How many are above the threshold."""
        return int((self.values > USED).sum())

    @property
    def n_for_most(self) -> int:
        """The fewest dimensions that hold nine tenths of the sum; 0 where there is nothing."""
        total = float(self.values.sum())
        return int(np.searchsorted(np.cumsum(self.values), 0.9 * total)) + 1 if total > 0 else 0


def dimensions(latents: Latents) -> Dimensions:
    """The divergence of each dimension where it has parts; else its signal against its noise; else, of points, its spread.

    Formula: signal = ln(1 + variance of the codes / mean square of (sample - code)) / 2, the nats that a channel with normal
        noise carries (Shannon 1949). It asks nothing of the prior, so a flow may bend the space as it likes.
    """
    variance = latents.codes.astype(np.float64).var(axis=0)
    noise = np.square(latents.drawn.astype(np.float64) - latents.codes).mean(axis=0)
    if len(latents.kl):
        return Dimensions("divergence", _sorted(latents.kl))
    if (noise > 0).all():
        return Dimensions("signal", _sorted(np.log1p(variance / noise) / 2))
    return Dimensions("spread", _sorted(variance))


def _sorted(values: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.sort(np.maximum(values.astype(np.float64), 0.0))[::-1]


def told_apart(latents: Latents) -> float | None:
    """How often the nearest neighbour of a latent vector says whether it is a sound's or the prior's; None of a few sounds.

    Formula: the accuracy of leaving one out with one neighbour, over as many samples of the posteriors as of the prior, each
        dimension over its spread in both. 0.5: the two are one distribution to this eye; 1: they lie apart.
    Source: Lopez-Paz and Oquab 2017, arxiv.org/abs/1610.06545.
    """
    n = min(len(latents.drawn), len(latents.prior))
    if n < FEWEST:
        return None
    both = np.concatenate([latents.drawn[:n], latents.prior[:n]]).astype(np.float64)
    spread = both.std(axis=0)
    both = both[:, spread > 0] / spread[spread > 0]
    distances = np.square(both[:, None] - both[None]).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    is_prior = np.arange(2 * n) >= n
    return float((is_prior[distances.argmin(axis=1)] == is_prior).mean())


def chance(n_sounds: int) -> float:
    """Two standard deviations of that share where both are one distribution."""
    return float(1 / np.sqrt(2 * n_sounds))


def drift(latents: Latents) -> float | None:
    """How far decode and encode carry a code, beside how far codes lie from their middle; None where all are one code."""
    codes = latents.codes.astype(np.float64)
    spread = float(np.sqrt(np.square(codes - codes.mean(axis=0)).sum(axis=1).mean()))
    moved = float(np.sqrt(np.square(latents.returned - codes).sum(axis=1)).mean())
    return moved / spread if spread > 0 else None
