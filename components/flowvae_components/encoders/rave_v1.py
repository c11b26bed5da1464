"""The encoder of RAVE's first version, ended by one vector for the whole sound."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Downsampler, Normalization, Pooling, Refused
from flowvae_components.blocks.down_stages import doubled
from flowvae_components.blocks.geometry import frames_of, require_odd, require_positive, require_stages
from flowvae_components.blocks.layers import Layers
from flowvae_components.blocks.one_vector import one_vector
from flowvae_components.blocks.whole_frames import WholeFrames


class RAVEv1Encoder(nn.Module):
    """Downsampling and nothing else, then a pooling.

    Formula: x_0 = conv(audio); x_i+1 = down_i(act(x_i)), with twice the channels after each stage;
        frames = conv(act(x_n)), the last convolution of 5 taps in two groups; features = pooling(frames). No
        convolution has a bias.
        The published network normalizes over the batch before each activation. That is left out: with it, a sound's vector
        depends on the other sounds of its batch. Its two groups are mean and scale of each frame; that one vector is
        made of all frames is this project's change.
    Shapes: (b, channels, n_samples) -> (b, features); silence is added at the end where n_samples is no multiple of
        the product of the strides.
    Units: audio is amplitude in [-1, 1]; features have no unit.
    Parameters:
        width: channels at the full rate; the last stage has width * 2^(number of strides)
        strides: the factor by which each stage lowers the rate, 2 or more each
        kernel_size: taps of the first convolution, odd
        frame_channels: channels of a frame before the pooling, an even number
        features: the length of the vector
        activation: the non-linearity; leaky_relu in the published network
        downsampler: what lowers the rate; in the published network 2 * stride + 1 taps without a bias
        normalization: how the weights of the first and the last convolution are held; none in the published network
        pooling: what makes the vector out of the frames; none: a linear layer over all of them
        convolution: where convolutions look; none: as far back as ahead
    Source: Caillon and Esling 2021, arxiv.org/abs/2111.05011; made for the 16 bands of pqmf.
    Errors: ValueError for impossible sizes, and for a sound of another length than n_samples.

    >>> import torch
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> parts = {"activation": lambda channels: nn.ELU(), "downsampler": down, "normalization": keep}
    >>> RAVEv1Encoder(1, 1000, width=4, frame_channels=8, **parts)(torch.zeros(2, 1, 1000)).shape
    torch.Size([2, 256])
    """

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        width: int = 64,
        strides: tuple[int, ...] = (4, 4, 4, 2),
        kernel_size: int = 7,
        frame_channels: int = 256,
        features: int = 256,
        activation: Activation,
        downsampler: Downsampler,
        normalization: Normalization,
        pooling: Pooling | None = None,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_stages(strides, ())
        require_odd("kernel_size", kernel_size)
        for name, count in (("width", width), ("frame_channels", frame_channels), ("features", features)):
            require_positive(name, count)
        widths = doubled(width, strides)
        for name, count in (("frame_channels", frame_channels), ("width", widths[-1])):
            if count % 2:
                raise Refused(
                    name, f"{name} must be even for the two groups of the last convolution, got {count}"
                )
        self.features = features
        layers = Layers(
            activation=activation, normalization=normalization, convolution=convolution, bias=False
        )
        stages = (
            nn.Sequential(activation(wide), downsampler(wide, wider, stride))
            for (wide, wider), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.frames = nn.Sequential(
            WholeFrames(n_samples, strides),
            layers.conv(channels, width, kernel_size),
            *stages,
            activation(widths[-1]),
            layers.conv(widths[-1], frame_channels, 5, groups=2),
        )
        self.collapse = one_vector(
            pooling, frame_channels, frames_of(n_samples, strides), features, normalization
        )

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b features"]:
        features: Tensor = self.collapse(self.frames(audio))
        return features
