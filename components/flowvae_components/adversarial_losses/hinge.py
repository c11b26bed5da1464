"""The hinge losses of two players."""

import torch
from jaxtyping import Float
from torch import Tensor


class Hinge:
    """Stops to pull at a logit once it is on its side by a margin of 1.

    Formula: discriminator = mean max(0, 1 - real) + mean max(0, 1 + estimate),
        generator = -mean estimate, each mean over all logits of one sub-discriminator.
        The estimate's hinge is at -1 and the generator's pull has no end: with the hinge at 0, or one for the
        generator too, as some code has them, the players rest before either has won. What the discriminator
        is sure of teaches it nothing more, and that keeps its logits near the boundary.
    Shapes: logits of any shape -> scalar.
    Units: those of a logit. At the boundary, where both kinds have the logit 0, the discriminator pays 2.
    Parameters: none.
    Source: Lim and Ye 2017 (Geometric GAN), arxiv.org/abs/1705.02894; in audio MelGAN, RAVE and EnCodec.

    >>> undecided = torch.zeros(2, 1, 50)
    >>> Hinge().discriminator(undecided, undecided)
    tensor(2.)
    """

    boundary = 0.0

    def discriminator(self, real: Float[Tensor, "..."], estimate: Float[Tensor, "..."]) -> Float[Tensor, ""]:
        return torch.relu(1 - _wide(real)).mean() + torch.relu(1 + _wide(estimate)).mean()

    def generator(self, estimate: Float[Tensor, "..."]) -> Float[Tensor, ""]:
        return -_wide(estimate).mean()


def _wide(logits: Tensor) -> Tensor:
    """At least float32: a mean in half precision would keep three digits."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
