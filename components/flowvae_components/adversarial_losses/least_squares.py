"""The least squares losses of two players."""

import torch
from jaxtyping import Float
from torch import Tensor


class LeastSquares:
    """Draws the logits of real sounds to 1 and those of estimates to 0.

    Formula: discriminator = mean (1 - real)^2 + mean estimate^2,
        generator = mean (1 - estimate)^2, each mean over all logits of one sub-discriminator.
        The pull grows with the distance, so that a logit far on the wrong side is never lost sight of; one that
        is too far on the right side is drawn back.
    Shapes: logits of any shape -> scalar.
    Units: squared logits. The boundary is halfway, at 0.5, where the discriminator pays 0.5.
    Parameters: none.
    Source: Mao et al. 2017 (LSGAN), arxiv.org/abs/1611.04076, with its labels a = 0, b = c = 1; in audio HiFi-GAN
        and the Descript audio codec.

    >>> silent = torch.zeros(2, 1, 50)
    >>> LeastSquares().discriminator(silent, silent), LeastSquares().generator(silent)
    (tensor(1.), tensor(1.))
    """

    boundary = 0.5

    def discriminator(self, real: Float[Tensor, "..."], estimate: Float[Tensor, "..."]) -> Float[Tensor, ""]:
        return (1 - _wide(real)).square().mean() + _wide(estimate).square().mean()

    def generator(self, estimate: Float[Tensor, "..."]) -> Float[Tensor, ""]:
        return (1 - _wide(estimate)).square().mean()


def _wide(logits: Tensor) -> Tensor:
    """At least float32: a mean in half precision would keep three digits, and a square overflow."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
