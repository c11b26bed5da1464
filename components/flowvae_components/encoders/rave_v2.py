"""The encoder of RAVE's second version, ended by one vector for the whole sound."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Downsampler, Normalization, Pooling
from flowvae_components.blocks.down_stages import doubled, down_stages
from flowvae_components.blocks.geometry import frames_of, require_odd, require_positive, require_staged
from flowvae_components.blocks.layers import Layers
from flowvae_components.blocks.one_vector import one_vector
from flowvae_components.blocks.whole_frames import WholeFrames


class RAVEv2Encoder(nn.Module):
    """Residual dilated convolutions of short kernels and downsampling in turn, without biases, then a pooling.

    Formula: x_0 = conv(audio); x_i+1 = down_i(act(units_i(x_i))), with twice the channels after each stage;
        frames = conv(act(x_n)); features = pooling(frames). A unit is x + mix(act(dilated(act(x)))).
        No convolution has a bias. The published network makes mean and scale of each frame out of the last convolution;
        that one vector is made of all frames is this project's change.
    Shapes: (b, channels, n_samples) -> (b, features); silence is added at the end where n_samples is no multiple of
        the product of the strides.
    Units: audio is amplitude in [-1, 1]; features have no unit.
    Parameters:
        width: channels at the full rate; the last stage has width * 2^(number of strides)
        strides: the factor by which each stage lowers the rate, 2 or more each
        dilations: for each stage, the dilation of each of its residual units, in samples of that stage
        kernel_size: taps of the dilated convolutions and of the last, odd; the first has twice as many and one more
        frame_channels: channels of a frame before the pooling
        features: the length of the vector
        activation: the non-linearity; leaky_relu in the published network, snake in its third version
        downsampler: what lowers the rate at the end of a stage; without a bias in the published network
        normalization: how the weights of convolutions are held; weight_norm in the published network
        pooling: what makes the vector out of the frames; none: a linear layer over all of them
        convolution: where convolutions look; none: as far back as ahead
    Source: the second version of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011; made for the 16 bands of pqmf.
    Errors: ValueError for impossible sizes, and for a sound of another length than n_samples.

    >>> import torch
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> parts = {"activation": lambda channels: nn.ELU(), "downsampler": down, "normalization": keep}
    >>> RAVEv2Encoder(1, 1000, width=4, frame_channels=8, **parts)(torch.zeros(2, 1, 1000)).shape
    torch.Size([2, 256])
    """

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        width: int = 96,
        strides: tuple[int, ...] = (4, 4, 4, 2),
        dilations: tuple[tuple[int, ...], ...] = ((1, 3, 9), (1, 3, 9), (1, 3, 9), (1, 3)),
        kernel_size: int = 3,
        frame_channels: int = 256,
        features: int = 256,
        activation: Activation,
        downsampler: Downsampler,
        normalization: Normalization,
        pooling: Pooling | None = None,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_staged(strides, dilations)
        require_odd("kernel_size", kernel_size)
        for name, count in (("width", width), ("frame_channels", frame_channels), ("features", features)):
            require_positive(name, count)
        self.features, widths = features, doubled(width, strides)
        layers = Layers(
            activation=activation, normalization=normalization, convolution=convolution, bias=False
        )
        self.frames = nn.Sequential(
            WholeFrames(n_samples, strides),
            layers.conv(channels, width, 2 * kernel_size + 1),
            down_stages(
                widths,
                strides,
                dilations,
                units=layers.units(kernel_size),
                activation=activation,
                downsampler=downsampler,
            ),
            activation(widths[-1]),
            layers.conv(widths[-1], frame_channels, kernel_size),
        )
        self.collapse = one_vector(
            pooling, frame_channels, frames_of(n_samples, strides), features, normalization
        )

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b features"]:
        features: Tensor = self.collapse(self.frames(audio))
        return features
