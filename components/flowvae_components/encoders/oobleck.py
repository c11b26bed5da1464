"""The encoder of Stable Audio, called Oobleck, ended by one vector for the whole sound."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Downsampler, Normalization, Pooling
from flowvae_components.blocks.down_stages import down_stages, multiplied
from flowvae_components.blocks.geometry import frames_of, require_odd, require_positive, require_stages
from flowvae_components.blocks.layers import Layers
from flowvae_components.blocks.one_vector import one_vector
from flowvae_components.blocks.whole_frames import WholeFrames


class OobleckEncoder(nn.Module):
    """Residual dilated convolutions and downsampling in turn, with widths that are said one by one, then a pooling.

    Formula: x_0 = conv(audio); x_i+1 = down_i(act(units_i(x_i))), with width * multipliers[i] channels after stage i;
        frames = conv(act(x_n)); features = pooling(frames). A unit is x + mix(act(dilated(act(x)))).
        The published network is a variational autoencoder of frames, half of a frame their means; that one vector is made of
        all frames is this project's change.
    Shapes: (b, channels, n_samples) -> (b, features); silence is added at the end where n_samples is no multiple of
        the product of the strides.
    Units: audio is amplitude in [-1, 1]; features have no unit.
    Parameters:
        width: channels at the full rate
        multipliers: channels after each stage, in units of width; the first stage of the published network keeps them
        strides: the factor by which each stage lowers the rate, 2 or more each
        dilations: the dilation of each residual unit of a stage, in samples of that stage
        kernel_size: taps of the first convolution and of the dilated ones, odd
        frame_channels: channels of a frame before the pooling
        features: the length of the vector
        activation: the non-linearity; snake_beta in the published network
        downsampler: what lowers the rate at the end of a stage
        normalization: how the weights of convolutions are held; weight_norm in the published network
        pooling: what makes the vector out of the frames; none: a linear layer over all of them
        convolution: where convolutions look; none: as far back as ahead
    Source: Evans et al. 2024, arxiv.org/abs/2407.14358; the sizes are those of the autoencoder of its second version. Blocks
        and their order are those of the Descript audio codec, Kumar et al. 2023, arxiv.org/abs/2306.06546: the widths, the
        number of stages and the channels of a frame are all that differ.
    Errors: ValueError for impossible sizes, and for a sound of another length than n_samples.

    >>> import torch
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> parts = {"activation": lambda channels: nn.ELU(), "downsampler": down, "normalization": keep}
    >>> OobleckEncoder(1, 1000, width=2, frame_channels=8, **parts)(torch.zeros(2, 1, 1000)).shape
    torch.Size([2, 256])
    """

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        width: int = 128,
        multipliers: tuple[int, ...] = (1, 2, 4, 8, 16),
        strides: tuple[int, ...] = (2, 4, 4, 8, 8),
        dilations: tuple[int, ...] = (1, 3, 9),
        kernel_size: int = 7,
        frame_channels: int = 128,
        features: int = 256,
        activation: Activation,
        downsampler: Downsampler,
        normalization: Normalization,
        pooling: Pooling | None = None,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_stages(strides, dilations)
        require_odd("kernel_size", kernel_size)
        for name, count in (("width", width), ("frame_channels", frame_channels), ("features", features)):
            require_positive(name, count)
        self.features, widths = features, multiplied(width, multipliers, strides)
        layers = Layers(activation=activation, normalization=normalization, convolution=convolution)
        self.frames = nn.Sequential(
            WholeFrames(n_samples, strides),
            layers.conv(channels, width, kernel_size),
            down_stages(
                widths,
                strides,
                [dilations] * len(strides),
                units=layers.units(kernel_size),
                activation=activation,
                downsampler=downsampler,
            ),
            activation(widths[-1]),
            layers.conv(widths[-1], frame_channels, 3),
        )
        self.collapse = one_vector(
            pooling, frame_channels, frames_of(n_samples, strides), features, normalization
        )

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b features"]:
        features: Tensor = self.collapse(self.frames(audio))
        return features
