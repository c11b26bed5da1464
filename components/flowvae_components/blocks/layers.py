"""What all convolutions of a network have in common."""

from dataclasses import dataclass
from functools import partial

from torch import nn

from flowvae.contracts import Activation, Convolution, Normalization
from flowvae_components.blocks.down_stages import Units
from flowvae_components.blocks.initial import same_length
from flowvae_components.blocks.residual import ResidualUnit, ShortcutUnit, residual_units


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The choices that a network hands on to its convolutions and to its residual units.

    Formula: of same_length and of residual_units.
    Shapes: (b, in, t) -> (b, out, t).
    Units: hidden amplitudes, without unit.
    Source: none; it says a choice once.

    >>> layers = Layers(activation=lambda channels: nn.ELU(), normalization=lambda layer: layer, bias=False)
    >>> layers.conv(4, 2, 7), len(layers.units(3)(4, (1, 3, 9)))
    (Conv1d(4, 2, kernel_size=(7,), stride=(1,), padding=(3,), bias=False), 3)
    """

    activation: Activation
    normalization: Normalization
    convolution: Convolution | None = None
    bias: bool = True

    def conv(self, in_channels: int, out_channels: int, kernel_size: int, *, groups: int = 1) -> nn.Module:
        """A convolution that gives as many samples as it gets."""
        layer = same_length(
            in_channels,
            out_channels,
            kernel_size,
            bias=self.bias,
            groups=groups,
            convolution=self.convolution,
        )
        return self.normalization(layer)

    def units(self, kernel_size: int, *, mix_size: int = 1) -> Units:
        """What makes the residual units of a stage."""
        return partial(
            residual_units,
            kernel_size=kernel_size,
            activation=self.activation,
            normalization=self.normalization,
            convolution=self.convolution,
            mix_size=mix_size,
            bias=self.bias,
        )

    def units_with_shortcuts(self, kernel_size: int) -> Units:
        """The same, each with a convolution of one tap around it in place of the bare sum."""
        unit = partial(
            ResidualUnit,
            activation=self.activation,
            normalization=self.normalization,
            convolution=self.convolution,
            bias=self.bias,
        )

        def units(channels: int, dilations: tuple[int, ...]) -> nn.Sequential:
            return nn.Sequential(
                *(
                    ShortcutUnit(unit(channels, kernel_size, dilation), self.conv(channels, channels, 1))
                    for dilation in dilations
                )
            )

        return units
