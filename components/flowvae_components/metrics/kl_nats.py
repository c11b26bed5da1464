"""What each sound's code costs."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Evidence


class KLNats(nn.Module):
    """The divergence of each sound's posterior from the prior: how much the code says about the sound.

    Formula: KL(q(z|x) || p(z)), as the evaluation measured it.
    Shapes: kl (n,) -> (n,).
    Units: nats a sound; neither more nor less is better by itself.
    Source: Kingma and Welling 2014, arxiv.org/abs/1312.6114.

    >>> import torch
    >>> x, codes, kl = torch.zeros(2, 1, 8), torch.zeros(2, 3), torch.tensor([1.0, 2.0])
    >>> KLNats()(Evidence(real=x, estimate=x, generated=x, codes=codes, kl=kl))
    tensor([1., 2.])
    """

    direction: Literal["lower", "higher", "none"] = "none"
    unit: str = "nats"
    family: str = "latent"
    reads: tuple[str, ...] = ("kl",)

    def forward(self, evidence: Evidence) -> Float[Tensor, " n"]:
        return evidence.kl
