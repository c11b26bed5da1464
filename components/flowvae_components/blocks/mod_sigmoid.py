"""The gate of RAVE and DDSP."""

from jaxtyping import Float
from torch import Tensor


def mod_sigmoid(x: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """A gain that reaches up to 2, and down to 1e-7 without touching 0.

    Formula: y = 2 * sigmoid(x)^2.3 + 1e-7.
    Shapes: any.
    Units: y is a gain: 2 is +6 dB, 1e-7 is -140 dB.
    Source: Engel et al. 2020 (DDSP), arxiv.org/abs/2001.04643, with ln 10 = 2.3 as its exponent.

    >>> import torch
    >>> mod_sigmoid(torch.tensor([0.0]))
    tensor([0.4061])
    """
    y: Tensor = 2 * x.sigmoid() ** 2.3 + 1e-7
    return y
