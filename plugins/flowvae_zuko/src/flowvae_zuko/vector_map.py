"""A flow of zuko under flowvae's contract."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

OF_A_POSTERIOR, OF_A_PRIOR = 0.1, 1.0
"""Adam moves every weight by the learning rate, whatever the gradient. From a start at zero, the last layers would move
the latent vectors of a posterior a long way within a few dozen steps; the gain brings that down to a pace that suits them.
A prior moves no vector, and has to keep up with the codes."""


class VectorMap(nn.Module):
    """Holds a transformation of zuko: the identity at the start, in single precision, with the volume change.

    >>> from flowvae_zuko.library import zuko_flows
    >>> x = torch.randn(5, 4)
    >>> y, log_abs_det = VectorMap(zuko_flows().MAF(4).transform, 0)(x)
    >>> torch.allclose(x, y), log_abs_det.tolist()
    (True, [0.0, 0.0, 0.0, 0.0, 0.0])
    """

    def __init__(self, lazy: Any, context: int) -> None:
        super().__init__()
        self.lazy = lazy
        gain = OF_A_POSTERIOR if context else OF_A_PRIOR
        for part in lazy.transforms:
            _start_as_identity(part, gain)

    def forward(
        self, x: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        # Half precision would break the inverse and the volume change.
        with torch.autocast(x.device.type, enabled=False):
            y, log_abs_det = self._steered(x, context).call_and_ladj(x)
        return y, log_abs_det

    def inverse(
        self, y: Float[Tensor, "b d"], context: Float[Tensor, "b h"] | None = None
    ) -> tuple[Float[Tensor, "b d"], Float[Tensor, " b"]]:
        """The x that gives y, and the volume change of the way back."""
        with torch.autocast(y.device.type, enabled=False):
            x, log_abs_det = self._steered(y, context).inv.call_and_ladj(y)
        return x, log_abs_det

    def _steered(self, x: Tensor, context: Tensor | None) -> Any:
        return self.lazy(None if context is None else context.to(x.dtype))


class _Gain(nn.Module):
    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = gain

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x


def _start_as_identity(part: Any, gain: float) -> None:
    """Zeroes what the map of one transformation is read from: 0 stands for no shift, slope 1 and equal bins."""
    net = getattr(part, "hyper", None)
    if net is None:  # a single dimension without context has free parameters and no net
        for free in part.phi:
            nn.init.zeros_(free)
        return
    # By place and not by type: the layers of zuko are classes of their own, which a search for nn.Linear can miss.
    nn.init.zeros_(net[-1].weight)
    nn.init.zeros_(net[-1].bias)
    net.append(_Gain(gain))
