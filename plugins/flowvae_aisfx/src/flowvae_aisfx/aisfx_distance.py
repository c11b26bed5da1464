"""How far the sounds that a model makes up are from real ones, to the ear of a network."""

from pathlib import Path
from typing import Literal

import torch
from flowvae.contracts import Evidence
from jaxtyping import Float
from torch import Tensor, nn

from flowvae_aisfx.checkpoint import installed, load
from flowvae_aisfx.front_end import FrontEnd

CHUNK = 16
"""Sounds that pass the network at a time: the first of its layers has 2 MB for each."""


class AisfxDistance(nn.Module):
    """The kernel distance between samples of the prior and held-out sounds, by the embedding of aisfx.

    Formula: 1000 * MMD^2(real, generated), estimated without bias: mean of k over pairs of real sounds + mean of k over
        pairs of generated ones - 2 * mean of k between them, k(a, b) = exp(-gamma |a - b|^2), gamma = 1 / median of
        |x - x'|^2 over pairs of real sounds; of an even number of pairs the lower of the two in the middle.
        A sound is what the network makes of its first 2.3 s, silence after its end included. It hears codecs, smeared phase
        and few sounds made over and over; it does not hear a soft attack, hardly what is above 8 kHz, and noise in
        silent tails more than all else.
    Shapes: real (n, c, t), generated (m, c, t) -> ().
    Units: thousandths; about 0 where both are of one kind, and below 0 by chance. NaN for a set of one sound.
    Parameters:
        weights: the checkpoint of aisfx; none: that of the installed package
    Source: the network and its weights, under CC BY 4.0, are Ma and Lerch, ISMIR 2022, "Representation Learning for the
        Automatic Indexing of Sound Effects Libraries"; the distance is that of Chung et al. 2025, arxiv.org/abs/2502.15602.
    Errors: ValueError where no weights are named and aisfx is not installed.

    >>> AisfxDistance.credit
    'aisfx: Ma and Lerch, ISMIR 2022, CC BY 4.0'
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "thousandths"
    family: str = "distribution"
    reads: tuple[str, ...] = ("real", "generated")
    least_sounds: int = 32
    least_generated: int = 128
    credit: str = "aisfx: Ma and Lerch, ISMIR 2022, CC BY 4.0"

    def __init__(self, sample_rate: int, *, weights: Path | None = None) -> None:
        super().__init__()
        self.front_end = FrontEnd(sample_rate)
        self.network = load(weights or installed())

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        real, generated = self.vectors(evidence.real), self.vectors(evidence.generated)
        return (1000 * _discrepancy(real, generated)).to(evidence.real.dtype)

    def vectors(self, audio: Float[Tensor, "n c t"]) -> Float[Tensor, "n e"]:
        """The embedding of each sound, in double precision for the distances."""
        network = self.network.to(audio)
        return torch.cat([network(self.front_end(part)) for part in torch.split(audio, CHUNK)]).double()


def _discrepancy(x: Tensor, y: Tensor) -> Tensor:
    within, between = _squared(x, x), _squared(x, y)
    rows, columns = torch.triu_indices(len(x), len(x), 1, device=x.device)
    # Where all real sounds are one, any number will do.
    gamma = 1 / within[rows, columns].median().clamp_min(torch.finfo(x.dtype).tiny ** 0.5)

    def of_pairs(squared: Tensor) -> Tensor:
        n = len(squared)
        return ((-gamma * squared).exp().sum() - n) / (n * (n - 1))

    return of_pairs(within) + of_pairs(_squared(y, y)) - 2 * (-gamma * between).exp().mean()


def _squared(x: Tensor, y: Tensor) -> Tensor:
    distances: Tensor = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.square()
