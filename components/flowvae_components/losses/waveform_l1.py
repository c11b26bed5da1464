"""A distance between samples."""

from jaxtyping import Float
from torch import Tensor, nn


class WaveformL1(nn.Module):
    """Compares two sounds sample by sample, phase and polarity included.

    Formula: mean |estimate - target|.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: amplitude, full scale 1.
    Parameters: none.
    Source: the plain case; in a codec beside spectral losses: Defossez et al. 2022 (EnCodec), arxiv.org/abs/2210.13438,
        section 3.4.

    >>> import torch
    >>> WaveformL1()(torch.zeros(2, 1, 8), torch.full((2, 1, 8), 0.5))
    tensor(0.5000)
    """

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        return (estimate - target).abs().mean()
