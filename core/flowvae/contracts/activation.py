from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import nn

ALIKE = ("torch.nn.modules.activation",)
"""Modules whose classes do the same when they are written down by hand, past any slot."""
KEEPS_SHAPE = True
"""What the probe holds its modules to, so that it names the one that does not."""


@runtime_checkable
class Activation(Protocol):
    """A non-linearity inside an encoder or a decoder.

    The module maps (b, c, t) to the same shape and dtype. Gradients are finite everywhere, and silence
    stays finite.
    """

    def __call__(self, channels: int) -> nn.Module: ...
