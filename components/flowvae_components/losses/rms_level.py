"""A distance between levels."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Refused


class RMSLevel(nn.Module):
    """Compares how loud two sounds are as a whole, and nothing else of them.

    Formula: mean over items of 1/2 |log10(E(Y) + floor^2) - log10(E(X) + floor^2)|, E the mean over channels and samples of
        the square.
        Spectra that are compared bin by bin are least wrong for a faint estimate where the bins cannot be foretold, as those
        of noise cannot: a model that is trained by them alone comes out too quiet. This term says what the sum has to be,
        wherever it lies in time and frequency.
    Shapes: target and estimate (b, c, t) -> scalar.
    Units: decades of amplitude: 1 for ten times or a tenth of it, 0.05 for one decibel.
    Parameters:
        floor: the amplitude, relative to full scale, below which nothing is told apart.
    Source: own.
    Errors: ValueError for a floor that is not above 0.

    >>> import torch
    >>> x = torch.ones(2, 1, 8)
    >>> RMSLevel()(x, torch.tensor([1.0, 0.1])[:, None, None] * x).round(decimals=3)
    tensor(0.5000)
    """

    def __init__(self, *, floor: float = 1e-3) -> None:
        super().__init__()
        if not floor > 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.floor = floor

    def forward(self, target: Float[Tensor, "b c t"], estimate: Float[Tensor, "b c t"]) -> Float[Tensor, ""]:
        y, x = ((audio.square().mean(dim=(1, 2)) + self.floor**2).log10() for audio in (estimate, target))
        return 0.5 * (y - x).abs().mean()
