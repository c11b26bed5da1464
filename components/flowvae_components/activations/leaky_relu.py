"""Leaky ReLU, the plain activation of the early neural vocoders."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused


class LeakyReLU(nn.Module):
    """Keeps what is positive and weakens what is negative.

    Formula: y = x where x > 0, else slope * x.
    Shapes: (b, c, t) -> (b, c, t).
    Units: x is a hidden amplitude, without unit; slope is a ratio.
    Parameters:
        slope: what is left of a negative value, from 0 (all cut off) to 1 (the identity)
    Source: Maas, Hannun and Ng 2013, Rectifier Nonlinearities Improve Neural Network Acoustic Models.
        The default of 0.2 is that of MelGAN, arxiv.org/abs/1910.06711.
    Errors: ValueError where slope lies outside [0, 1].

    >>> import torch
    >>> LeakyReLU()(torch.tensor([[[-1.0, 2.0]]]))
    tensor([[[-0.2000,  2.0000]]])
    """

    def __init__(self, *, slope: float = 0.2) -> None:
        super().__init__()
        if not 0 <= slope <= 1:
            raise Refused("slope", f"slope must lie in [0, 1], got {slope}")
        self.slope = slope

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return functional.leaky_relu(x, self.slope)
