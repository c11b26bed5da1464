"""What flows share: how fast they learn, the precision they compute in, and values that a context chooses."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

OF_A_POSTERIOR, OF_A_PRIOR = 0.1, 1.0
"""Adam moves every weight by the learning rate, whatever the gradient: from zero, the last layers would throw the latent
vectors about within a few dozen steps at the rates that convolutions like. The gain slows the map down to the pace of
flows (1e-4 where the rest has 1e-3). Measured with 0.1 and 0.03: a flow posterior trains as well as a normal one.
A prior throws nobody about, and has to keep up with the codes: at 0.1 it stayed narrower than they were, and the faintest of 128
new sounds lay 30 dB under the median; at 1.0 and at 0.3 it lies at 12 to 15 (of Real NVP alone, on two sets of sounds, six seeds)."""


def pace(context: int) -> float:
    """The gain of a flow's last layers, by whose flow it is: a posterior's listens to a context, a prior's to none.

    >>> pace(64), pace(0)
    (0.1, 1.0)
    """
    return OF_A_POSTERIOR if context else OF_A_PRIOR


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

    Formula: values = gain * (start / gain + W context), with W = 0 at the start and both parts learnt; gain = pace(context).
    Shapes: start (n, width); context (b, context) -> (b, n, width), or None -> (1, n, width).
    Units: none.
    Parameters: none of a recipe's.
    Source: Rezende and Mohamed 2015, arxiv.org/abs/1505.05770, whose encoder gives the parameters of the flow.

    >>> SteeredValues(torch.ones(2, 3), 4)(torch.randn(5, 4)).shape
    torch.Size([5, 2, 3])
    """

    def __init__(self, start: Float[Tensor, "n width"], context: int) -> None:
        super().__init__()
        self.shape, self.gain = start.shape, pace(context)
        self.bias = nn.Parameter(start.flatten() / self.gain)
        self.weight = nn.Parameter(torch.zeros(start.numel(), context)) if context else None

    def forward(self, context: Float[Tensor, "b h"] | None) -> Float[Tensor, "b n width"]:
        chosen: Tensor = self.bias
        if context is not None and self.weight is not None:
            chosen = functional.linear(context, self.weight, self.bias)
        return self.gain * chosen.reshape(-1, *self.shape)
