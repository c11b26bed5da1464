"""The stages of an encoder."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import nn

from flowvae.contracts import Activation, Downsampler, Refused

Units = Callable[[int, tuple[int, ...]], nn.Sequential]
"""Residual units of so many channels, one for each dilation."""


def doubled(width: int, strides: tuple[int, ...]) -> list[int]:
    """The channels before each stage and after the last, with twice as many after each.

    >>> doubled(64, (2, 4, 8, 8))
    [64, 128, 256, 512, 1024]
    """
    return [width * 2**stage for stage in range(len(strides) + 1)]


def multiplied(width: int, multipliers: tuple[int, ...], strides: tuple[int, ...]) -> list[int]:
    """The same with the channels after each stage in units of `width`, which is that before the first.

    >>> multiplied(128, (1, 2, 4, 8, 16), (2, 4, 4, 8, 8))
    [128, 128, 256, 512, 1024, 2048]
    """
    if len(multipliers) != len(strides):
        raise Refused(
            "multipliers", f"multipliers must be {len(strides)}, one a stride, got {len(multipliers)}"
        )
    if min(multipliers, default=1) < 1:
        raise Refused("multipliers", f"multipliers must be 1 or more each, got {multipliers}")
    return [width, *(width * times for times in multipliers)]


def down_stages(
    widths: Sequence[int],
    strides: tuple[int, ...],
    dilations: Sequence[tuple[int, ...]],
    *,
    units: Units,
    activation: Activation,
    downsampler: Downsampler,
) -> nn.Sequential:
    """Residual units, an activation and fewer samples in turn, once for each stride.

    Formula: x_i+1 = down_i(act(units_i(x_i))).
    Shapes: (b, widths[0], t) -> (b, widths[-1], t / product of the strides); a width more than strides, dilations for each.
    Units: hidden amplitudes, without unit; dilations are in samples of their stage.
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; the activation before the layer that
        gives fewer samples as in Kumar et al. 2023, arxiv.org/abs/2306.06546.

    >>> import torch
    >>> def units(channels, dilations): return nn.Sequential()
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> parts = {"units": units, "activation": lambda channels: nn.ELU(), "downsampler": down}
    >>> down_stages([4, 8, 16], (2, 4), [(1,), (1,)], **parts)(torch.zeros(1, 4, 64)).shape
    torch.Size([1, 16, 8])
    """
    return nn.Sequential(
        *(
            nn.Sequential(units(wide, apart), activation(wide), downsampler(wide, wider, stride))
            for (wide, wider), stride, apart in zip(pairwise(widths), strides, dilations, strict=True)
        )
    )
