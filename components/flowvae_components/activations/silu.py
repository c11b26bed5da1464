"""SiLU, also called swish: a smooth activation without parameters."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class SiLU(nn.Module):
    """Lets a value through by as much as its own logistic says.

    Formula: y = x / (1 + exp(-x)).
        It has one dip, -0.278 at x = -1.278, and comes back to 0 far below zero: order is not kept there.
    Shapes: (b, c, t) -> (b, c, t).
    Units: x is a hidden amplitude, without unit.
    Parameters: none.
    Source: Hendrycks and Gimpel 2016, arxiv.org/abs/1606.08415; Elfwing, Uchibe and Doya 2018,
        arxiv.org/abs/1702.03118.

    >>> import torch
    >>> SiLU()(torch.tensor([[[-1.0, 2.0]]]))
    tensor([[[-0.2689,  1.7616]]])
    """

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        # Not in place: x belongs to the caller, and a residual block adds it again.
        return functional.silu(x)
