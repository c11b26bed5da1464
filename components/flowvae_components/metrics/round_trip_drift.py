"""Whether a decoded code is heard as itself."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence

LEAST = 1e-6
"""Codes that spread less than this, in units of the latent vector, are one code with rounding."""


class RoundTripDrift(nn.Module):
    """How far decode and encode carry a code from where it was, beside how far codes lie apart.

    Formula: mean over sounds of |c' - c| / sqrt(mean over sounds of |c - mean c|^2), with c the code and c' what it is
        after `trips` times decode and encode. Codes are modes: nothing is drawn.
        A decoder that ignores the code sends all to one point and drifts by about 1. A small drift says that encoder and
        decoder agree, and nothing of the sound.
    Shapes: codes (n, latent_dim), round_trips (2, n, latent_dim) -> ().
    Units: a ratio; 0 where every code stays.
    Parameters:
        trips: after how many round trips, 1 or 3; what grows from 1 to 3 is edited worse each time.
    Source: the definition is ours; a round trip of the code as a consistency is Zhu et al. 2017, arxiv.org/abs/1703.10593.

    >>> import torch
    >>> x, c = torch.zeros(2, 1, 8), torch.tensor([[-1.0], [1.0]])
    >>> given = Evidence(real=x, estimate=x, generated=x, codes=c, kl=c[:, 0], round_trips=torch.stack([0.5 * c, c]))
    >>> RoundTripDrift()(given), RoundTripDrift(trips=3)(given)
    (tensor(0.5000), tensor(0.))
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "ratio"
    family: str = "latent"
    reads: tuple[str, ...] = ("codes", "round_trips")
    least_sounds: int = 2

    def __init__(self, *, trips: Literal[1, 3] = 1) -> None:
        super().__init__()
        self.row = {1: 0, 3: 1}[trips]

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        codes = evidence.codes
        spread = (codes - codes.mean(dim=0)).square().sum(dim=1).mean().sqrt()
        drift = (evidence.round_trips[self.row] - codes).square().sum(dim=1).sqrt().mean()
        return drift / spread.clamp_min(LEAST)
