"""How many dimensions of the latent vector say anything."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence, Refused


class ActiveUnitsKL(nn.Module):
    """The number of latent dimensions whose posterior is told from the prior.

    Formula: count of d with mean over sounds of KL(q(z_d|x) || p(z_d)) > threshold.
        active_units counts by the variance of the codes: a dimension whose codes move but whose noise drowns them is
        active there and not here.
    Shapes: kl_by_dimension (n, latent_dim) -> ().
    Units: dimensions; neither more nor fewer is better by itself. NaN unless posterior and prior are normal
        distributions of independent dimensions: elsewhere the divergence has no parts.
    Parameters:
        threshold: the mean divergence in nats above which a dimension is in use.
    Source: the criterion of collapse in He et al. 2019, arxiv.org/abs/1901.05534, with a threshold by dimension as in
        Lucas et al. 2019, arxiv.org/abs/1911.02469.

    >>> x, kl = torch.zeros(2, 1, 8), torch.tensor([[0.0, 1.0], [0.0, 2.0]])
    >>> ActiveUnitsKL()(Evidence(real=x, estimate=x, generated=x, codes=kl, kl=kl.sum(1), kl_by_dimension=kl))
    tensor(1.)
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "dims"
    family: str = "latent"
    reads: tuple[str, ...] = ("kl_by_dimension",)

    def __init__(self, *, threshold: float = 0.01) -> None:
        super().__init__()
        if threshold <= 0:
            raise Refused("threshold", f"threshold must be above 0, got {threshold}")
        self.threshold = threshold

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        mean = evidence.kl_by_dimension.mean(dim=0)
        count = (mean > self.threshold).sum().to(mean.dtype)
        return torch.where(mean.isnan().any(), torch.nan, count)
