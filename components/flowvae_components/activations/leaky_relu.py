"""Leaky ReLU, the plain activation of the early neural vocoders."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Refused

NARROWEST = 1e-30
"""Shorter steps count as that long: one over them would be more than float32 can hold."""


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
        # A compiler keeps for the way back where x was positive, a byte a value; writing those takes torch 2.12 ten times as
        # long as all the rest, so it is asked for a formula that keeps nothing but y.
        if torch.compiler.is_compiling() and x.requires_grad:
            y: Tensor = _ByItsResult.apply(x, self.slope)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
            return y
        return functional.leaky_relu(x, self.slope)

    def mean_between(self, a: Float[Tensor, "b c t"], b: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        """The mean over all values from a to b, in closed form."""
        low, high = torch.minimum(a, b), torch.maximum(a, b)
        # The share of the way that lies above zero: 1 or 0 where both ends are on one side, even where they are the same.
        share = (high / (high - low).clamp_min(NARROWEST)).clamp(0, 1)
        above = share * (functional.relu(a) + functional.relu(b))
        return (self.slope * (a + b) + (1 - self.slope) * above) / 2


class _ByItsResult(torch.autograd.Function):
    """The same, with a gradient that asks the sign of y: y is positive where x is, and a layer behind it keeps y anyway."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        y = torch.maximum(x, slope * x)
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grad_y,), (y,) = gradients, ctx.saved_tensors
        return torch.where(y > 0, grad_y, ctx.slope * grad_y), None
