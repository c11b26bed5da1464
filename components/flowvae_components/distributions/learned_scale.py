"""Scales that are learned and never reach 0."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused


class LearnedScale(nn.Module):
    """Positive numbers of a shape, all the same before training.

    Formula: scale = min_scale + softplus(raw + shift), with the shift that gives `start` where raw is 0.
        All parameters are 0 at the start, so a decay of weights pulls to the start and not to a scale of its own.
        Softplus and not an exponential: its slope is never above 1, so no step can overflow it.
    Shapes: no input -> (*shape).
    Units: those of the vectors whose spread it is.
    Source: the softplus of RAVE's posterior, Caillon and Esling 2021, arxiv.org/abs/2111.05011.

    >>> bool(torch.allclose(LearnedScale(3, start=1.0, min_scale=1e-3)(), torch.ones(3)))
    True
    """

    def __init__(self, *shape: int, start: float, min_scale: float) -> None:
        super().__init__()
        if not 0 < min_scale < start:
            raise Refused("min_scale", f"min_scale must be above 0 and below {start:.3g}, got {min_scale}")
        self.min_scale = min_scale
        self.shift = math.log(math.expm1(start - min_scale))
        self.raw = nn.Parameter(torch.zeros(shape))

    def forward(self) -> Float[Tensor, "*shape"]:
        return self.min_scale + functional.softplus(self.raw + self.shift)
