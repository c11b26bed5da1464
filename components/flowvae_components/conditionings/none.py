"""No conditioning: a discriminator hears what there is."""

from jaxtyping import Float
from torch import Tensor


class NoConditioning:
    """Leaves a sound as it is, so that its level, balance and offset are judged too.

    Formula: y = x.
    Shapes: (b, c, t) -> the same.
    Units: amplitude in [-1, 1].
    Parameters: none.
    Source: none; the case against which a conditioning is compared. MelGAN and HiFi-GAN have none.

    >>> import torch
    >>> NoConditioning()(torch.ones(1, 1, 3))
    tensor([[[1., 1., 1.]]])
    """

    def __call__(self, sound: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return sound
