"""The residual unit of convolutional audio autoencoders."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Normalization
from flowvae_components.blocks.initial import same_length

BRANCH_GAIN = 0.3


class ResidualUnit(nn.Module):
    """A dilated convolution and a mixing of channels, added to the input.

    Formula: y = x + mix(act(dilated(act(x)))), mix with 1 tap, dilated with kernel_size taps, dilation apart.
        Activations come before the convolutions, so the path of the sum stays linear.
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
    ) -> None:
        super().__init__()
        self.act_in = activation(channels)
        self.dilated = normalization(
            same_length(channels, channels, kernel_size, dilation=dilation, convolution=convolution)
        )
        self.act_mid = activation(channels)
        # The branch starts small beside the sum: a row of units then neither dies out nor grows.
        self.mix = normalization(same_length(channels, channels, 1, gain=BRANCH_GAIN))

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        y: Tensor = x + self.mix(self.act_mid(self.dilated(self.act_in(x))))
        return y


def residual_units(
    channels: int,
    kernel_size: int,
    dilations: tuple[int, ...],
    *,
    activation: Activation,
    normalization: Normalization,
    convolution: Convolution | None = None,
) -> nn.Sequential:
    """Residual units in a row, one for each dilation.

    Formula: y = unit_n(... unit_1(x)).
    Shapes: (b, c, t) -> (b, c, t).
    Units: hidden amplitudes, without unit; dilations are in samples of the stage.
    Source: as ResidualUnit.

    >>> len(residual_units(4, 7, (1, 3, 9), activation=nn.PReLU, normalization=lambda layer: layer))
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
            )
            for dilation in dilations
        )
    )
