"""What flows share: how fast they learn, the precision they compute in, and values that a context chooses."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

OUTPUT_GAIN = 0.1
"""Adam moves every weight by the learning rate, whatever the gradient: from zero, the last layers would throw the latent
vectors about within a few dozen steps at the rates that convolutions like. The gain slows the map down to the pace of
flows (1e-4 where the rest has 1e-3). Measured with 0.1 and 0.03: a flow posterior trains as well as a normal one."""


def matched(
    x: Tensor, context: Tensor | None, width: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor | None]:
    """A vector and its context in the precision of the weights; ValueError where the context does not fit the flow.

    >>> matched(torch.zeros(1, 2, dtype=torch.float16), None, 0, torch.float32)[0].dtype
    torch.float32
    """
    if (context is None) != (width == 0):
        raise ValueError(f"context must be (b, {width}) at each call, or None where its width is 0")
    return x.to(dtype), None if context is None else context.to(dtype)


class SteeredValues(nn.Module):
    """The parameters of all layers of a flow, moved by the context in one linear layer.

    Formula: values = 0.1 * (start / 0.1 + W context), with W = 0 at the start and both parts learnt.
    Shapes: start (n, width); context (b, context) -> (b, n, width), or None -> (1, n, width).
    Units: none.
    Parameters: none of a recipe's.
    Source: Rezende and Mohamed 2015, arxiv.org/abs/1505.05770, whose encoder gives the parameters of the flow.

    >>> SteeredValues(torch.ones(2, 3), 4)(torch.randn(5, 4)).shape
    torch.Size([5, 2, 3])
    """

    def __init__(self, start: Float[Tensor, "n width"], context: int) -> None:
        super().__init__()
        self.shape = start.shape
        self.bias = nn.Parameter(start.flatten() / OUTPUT_GAIN)
        self.weight = nn.Parameter(torch.zeros(start.numel(), context)) if context else None

    def forward(self, context: Float[Tensor, "b h"] | None) -> Float[Tensor, "b n width"]:
        chosen: Tensor = self.bias
        if context is not None and self.weight is not None:
            chosen = functional.linear(context, self.weight, self.bias)
        return OUTPUT_GAIN * chosen.reshape(-1, *self.shape)
