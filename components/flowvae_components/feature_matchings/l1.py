"""The mean absolute difference of features."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


class L1:
    """Asks that an estimate move the layers of a discriminator as its target does.

    Formula: mean over the features of mean |real - estimate|, of one sub-discriminator. The real features are
        detached: only the estimate is drawn.
        The Descript audio codec sums over the features in place of the mean, five for each of its periods and 25
        for each of its windows; HiFi-GAN counts the logits as a feature, and doubles the sum.
    Shapes: two lists of as many features, each (b, ...) -> scalar.
    Units: those of the features: a layer with large ones has more to say, and features that double cost double.
    Parameters: none.
    Source: Kumar et al. 2019 (MelGAN), arxiv.org/abs/1910.06711, section 2.3, after Larsen et al. 2016.

    >>> L1()([torch.zeros(2, 4, 9), torch.zeros(2, 8)], [torch.ones(2, 4, 9), torch.zeros(2, 8)])
    tensor(0.5000)
    """

    def __call__(
        self, real: Sequence[Float[Tensor, "b ..."]], estimate: Sequence[Float[Tensor, "b ..."]]
    ) -> Float[Tensor, ""]:
        if not real:
            raise ValueError("there are no features to match: the discriminator gives none")
        return torch.stack([_distance(r.detach(), e) for r, e in zip(real, estimate, strict=True)]).mean()


def _distance(real: Tensor, estimate: Tensor) -> Tensor:
    # Summed in float32 at least: a mean in half precision would keep three digits.
    return (real - estimate).abs().mean(dtype=torch.promote_types(estimate.dtype, torch.float32))
