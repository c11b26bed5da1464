"""ELU, the activation of SoundStream and EnCodec."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused


class ELU(nn.Module):
    """Keeps what is positive and bends what is negative smoothly towards a bound.

    Formula: y = x where x > 0, else alpha * (exp(x) - 1).
    Shapes: (b, c, t) -> (b, c, t).
    Units: x is a hidden amplitude, without unit; alpha is one too.
    Parameters:
        alpha: how far below zero a value can come, from 0 (all cut off); at 1 the slope has no step at zero
    Source: Clevert, Unterthiner and Hochreiter 2016, arxiv.org/abs/1511.07289; EnCodec,
        arxiv.org/abs/2210.13438, uses it with 1.
    Errors: ValueError where alpha is below 0.

    >>> import torch
    >>> ELU()(torch.tensor([[[-1.0, 2.0]]]))
    tensor([[[-0.6321,  2.0000]]])
    """

    def __init__(self, *, alpha: float = 1.0) -> None:
        super().__init__()
        if alpha < 0:
            raise Refused("alpha", f"alpha must be at least 0, got {alpha}")
        self.alpha = alpha

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        # Not in place: x belongs to the caller, and a residual block adds it again.
        return functional.elu(x, self.alpha)
