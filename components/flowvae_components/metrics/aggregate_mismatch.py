"""Whether the prior puts its samples where the sounds are."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence
from flowvae_components.metrics.discrepancy import discrepancy, spread

LEAST = 1e-3
"""A dimension in which the prior varies less is a constant: the smallest scale of this package's distributions."""


class AggregateMismatch(nn.Module):
    """The distance between what the prior draws and what all posteriors together draw.

    Formula: 1000 * MMD^2(prior latents, latents), estimated without bias under a Gaussian kernel (see discrepancy), each
        dimension over its spread in the prior. One sample of each posterior: their mixture is what the decoder was
        trained on, and what the prior should be.
        It hears dimensions that nobody decodes as well as others, and of many dimensions mostly their scale; a mismatch
        that is worth hearing shows in kernel_distance too.
    Shapes: latents and prior_latents (n, latent_dim) -> ().
    Units: thousandths, up to 2000; about 0 where both are one distribution, and below 0 by chance. NaN for one sound.
    Source: the mismatch is that of Rosca et al. 2018, arxiv.org/abs/1802.06847; the measure Gretton et al. 2012.

    >>> import torch
    >>> x, z = torch.zeros(9, 1, 8), torch.randn(9, 2)
    >>> given = Evidence(real=x, estimate=x, generated=x, codes=z, kl=z[:, 0], latents=z + 100, prior_latents=z)
    >>> bool(AggregateMismatch()(given) > 500)
    True
    """

    direction: Literal["lower", "higher", "none"] = "lower"
    unit: str = "thousandths"
    family: str = "distribution"
    reads: tuple[str, ...] = ("latents", "prior_latents")
    least_sounds: int = 32

    def forward(self, evidence: Evidence) -> Float[Tensor, ""]:
        prior, latents = evidence.prior_latents.double(), evidence.latents.double()
        scale = spread(prior, least=LEAST)
        return (1000 * discrepancy(prior / scale, latents / scale)).to(evidence.latents.dtype)
