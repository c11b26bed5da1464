"""Over how many dimensions the latent vector spreads what it says."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence


class EffectiveDimensions(nn.Module):
    """The number of equally used dimensions that would spread the divergence as these do.

    Formula: exp(-sum over d of p_d log p_d), p_d = KL_d / sum of KL, KL_d the mean over sounds of the divergence in
        dimension d: latent_dim where all say as much, 1 where one says everything, 0 where none says anything.
        It has no threshold, and does not see how much is said: see kl_nats.
    Shapes: kl_by_dimension (n, latent_dim) -> ().
    Units: dimensions; neither more nor fewer is better by itself. NaN unless posterior and prior are normal
        distributions of independent dimensions.
    Source: the effective rank of Roy and Vetterli 2007, with divergences in place of singular values.

    >>> x, kl = torch.zeros(2, 1, 8), torch.tensor([[0.0, 1.0, 1.0], [0.0, 3.0, 3.0]])
    >>> EffectiveDimensions()(Evidence(real=x, estimate=x, generated=x, codes=kl, kl=kl.sum(1), kl_by_dimension=kl))
    tensor(2.)
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "dims"
    family: str = "latent"
    reads: tuple[str, ...] = ("kl_by_dimension",)

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        # Rounding may leave a hair below 0 where the posterior is the prior.
        mean = evidence.kl_by_dimension.mean(dim=0).clamp_min(0)
        total = mean.sum()
        entropy = torch.special.entr(mean / total).sum()
        return torch.where(total == 0, 0.0, entropy.exp())
