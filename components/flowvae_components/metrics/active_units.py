"""How many dimensions of the code are in use."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence, Refused


class ActiveUnits(nn.Module):
    """The number of latent dimensions that differ from sound to sound.

    Formula: count of d with var over sounds of code_d > threshold.
    Shapes: codes (n, latent_dim) -> ().
    Units: dimensions; neither more nor fewer is better by itself.
    Parameters:
        threshold: the variance above which a dimension is in use, in units of the latent vector squared.
    Source: Burda, Grosse and Salakhutdinov 2016, arxiv.org/abs/1509.00519.

    >>> import torch
    >>> x, codes = torch.zeros(2, 1, 8), torch.tensor([[0.0, 1.0], [0.0, -1.0]])
    >>> ActiveUnits()(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=codes[:, 0]))
    tensor(1.)
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "dims"
    family: str = "latent"
    reads: tuple[str, ...] = ("codes",)
    least_sounds: int = 2

    def __init__(self, *, threshold: float = 0.01) -> None:
        super().__init__()
        if threshold <= 0:
            raise Refused("threshold", f"threshold must be above 0, got {threshold}")
        self.threshold = threshold

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        # The variance of the set itself: a single sound then has none, instead of NaN.
        variance = evidence.codes.var(dim=0, correction=0)
        return (variance > self.threshold).sum().to(evidence.codes.dtype)
