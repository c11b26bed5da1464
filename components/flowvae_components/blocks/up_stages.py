"""The stages of a decoder."""

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Modulation, Upsampler
from flowvae_components.blocks.down_stages import Units
from flowvae_components.blocks.up_stage import UpStage


def halved(width: int, strides: tuple[int, ...]) -> list[int]:
    """The channels before each stage and after the last, which has `width`, with half as many after each.

    >>> halved(32, (8, 8, 2, 2))
    [512, 256, 128, 64, 32]
    """
    return [width * 2**stage for stage in range(len(strides), -1, -1)]


class UpStages(nn.ModuleList):
    """An activation, more samples, and residual units that the latent vector may steer, once for each stride.

    Formula: x_i+1 = units_i(up_i(act(x_i))), with what `modulation` does before each unit.
    Shapes: x (b, widths[0], n) and latent (b, latent_dim) -> (b, widths[-1], n * product of the strides); a width more than
        strides, dilations for each.
    Units: hidden amplitudes, without unit; dilations are in samples of their stage.
    Source: as down_stages, mirrored.

    >>> import torch
    >>> def units(channels, dilations): return nn.Sequential(nn.Identity())
    >>> def up(i, o, factor): return nn.ConvTranspose1d(i, o, factor, stride=factor)
    >>> parts = {"units": units, "activation": lambda channels: nn.ELU(), "upsampler": up}
    >>> stages = UpStages(8, [16, 8, 4], (4, 2), [(1,), (1,)], modulation=None, **parts)
    >>> stages(torch.zeros(1, 16, 8), torch.zeros(1, 8)).shape
    torch.Size([1, 4, 64])
    """

    def __init__(
        self,
        latent_dim: int,
        widths: Sequence[int],
        strides: tuple[int, ...],
        dilations: Sequence[tuple[int, ...]],
        *,
        units: Units,
        activation: Activation,
        upsampler: Upsampler,
        modulation: Modulation | None,
    ) -> None:
        super().__init__()
        for (wide, narrow), stride, apart in zip(pairwise(widths), strides, dilations, strict=True):
            resample = nn.Sequential(activation(wide), upsampler(wide, narrow, stride))
            modulate = partial(modulation, narrow, latent_dim) if modulation else None
            self.append(UpStage(resample, units(narrow, apart), modulate))

    def forward(self, x: Float[Tensor, "b i n"], latent: Float[Tensor, "b d"]) -> Float[Tensor, "b o t"]:
        for stage in self:
            x = stage(x, latent)
        return x
