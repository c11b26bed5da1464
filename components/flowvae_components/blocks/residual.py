"""The residual unit of convolutional audio autoencoders."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Normalization
from flowvae_components.blocks.initial import same_length

BRANCH_GAIN = 0.3


class ResidualUnit(nn.Module):
    """A dilated convolution and a mixing of channels, added to the input.

    Formula: y = x + branch(x), branch(x) = mix(act(dilated(act(x)))), mix with mix_size taps side by side, dilated with
        kernel_size taps, dilation apart. Activations come before the convolutions, so the path of the sum stays linear.
    Shapes: (b, c, t) -> (b, c, t).
    Units: hidden amplitudes, without unit.
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; the order of the parts as in
        Kumar et al. 2023, arxiv.org/abs/2306.06546.

    >>> import torch
    >>> unit = ResidualUnit(4, 7, 3, activation=lambda channels: nn.ELU(), normalization=lambda layer: layer)
    >>> unit(torch.zeros(2, 4, 16)).shape
    torch.Size([2, 4, 16])
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int,
        dilation: int,
        *,
        activation: Activation,
        normalization: Normalization,
        convolution: Convolution | None = None,
        mix_size: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        conv = partial(same_length, channels, channels, bias=bias, convolution=convolution)
        self.act_in = activation(channels)
        self.dilated = normalization(conv(kernel_size, dilation=dilation))
        self.act_mid = activation(channels)
        # The branch starts small beside the sum: a row of units then neither dies out nor grows.
        self.mix = normalization(conv(mix_size, gain=BRANCH_GAIN))

    def branch(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        """What is added to the input."""
        y: Tensor = self.mix(self.act_mid(self.dilated(self.act_in(x))))
        return y

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return x + self.branch(x)


class ShortcutUnit(nn.Module):
    """A residual unit whose input passes a layer of its own on its way to the sum.

    Formula: y = shortcut(x) + branch(x), branch as in ResidualUnit.
    Shapes: (b, c, t) -> (b, c, t).
    Units: hidden amplitudes, without unit.
    Source: the generator of MelGAN, Kumar et al. 2019, arxiv.org/abs/1910.06711.

    >>> import torch
    >>> unit = ResidualUnit(4, 3, 3, activation=lambda channels: nn.ELU(), normalization=lambda layer: layer)
    >>> ShortcutUnit(unit, nn.Conv1d(4, 4, 1))(torch.zeros(2, 4, 16)).shape
    torch.Size([2, 4, 16])
    """

    def __init__(self, unit: ResidualUnit, shortcut: nn.Module) -> None:
        super().__init__()
        self.unit, self.shortcut = unit, shortcut

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        y: Tensor = self.shortcut(x) + self.unit.branch(x)
        return y


def residual_units(
    channels: int,
    dilations: tuple[int, ...],
    *,
    kernel_size: int,
    activation: Activation,
    normalization: Normalization,
    convolution: Convolution | None = None,
    mix_size: int = 1,
    bias: bool = True,
) -> nn.Sequential:
    """Residual units in a row, one for each dilation.

    Formula: y = unit_n(... unit_1(x)).
    Shapes: (b, c, t) -> (b, c, t).
    Units: hidden amplitudes, without unit; dilations are in samples of the stage.
    Source: as ResidualUnit.

    >>> len(residual_units(4, (1, 3, 9), kernel_size=7, activation=nn.PReLU, normalization=lambda layer: layer))
    3
    """
    return nn.Sequential(
        *(
            ResidualUnit(
                channels,
                kernel_size,
                dilation,
                activation=activation,
                normalization=normalization,
                convolution=convolution,
                mix_size=mix_size,
                bias=bias,
            )
            for dilation in dilations
        )
    )
