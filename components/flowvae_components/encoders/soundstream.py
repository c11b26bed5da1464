"""The encoder of SoundStream, ended by one vector for the whole sound."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Downsampler, Normalization, Pooling
from flowvae_components.blocks.down_stages import doubled, down_stages
from flowvae_components.blocks.geometry import (
    frames_of,
    require_odd,
    require_positive,
    require_stages,
)
from flowvae_components.blocks.initial import same_length
from flowvae_components.blocks.one_vector import one_vector
from flowvae_components.blocks.residual import residual_units
from flowvae_components.blocks.whole_frames import WholeFrames


class SoundStreamEncoder(nn.Module):
    """Residual dilated convolutions and downsampling in turn, then one linear layer over all that is left.

    Formula: x_0 = conv(audio); x_i+1 = down_i(act(units_i(x_i))), with twice the channels after each stage;
        frames = act(conv(act(x_n))); features = linear(flatten(frames)), or what a pooling makes of the frames. In the
        linear layer every frame has weights of its own, so the place of the onset and the order of the decay are kept.
    Shapes: (b, channels, n_samples) -> (b, features); silence is added at the end where n_samples is no multiple of
        the product of the strides.
    Units: audio is amplitude in [-1, 1]; features have no unit.
    Parameters:
        width: channels at the full rate; the last stage has width * 2^(number of strides)
        strides: the factor by which each stage lowers the rate, 2 or more each
        dilations: the dilation of each residual unit of a stage, in samples of that stage
        kernel_size: taps of the first convolution and of the dilated ones, odd
        frame_channels: channels of a frame before the linear layer, which has n_frames * frame_channels inputs
        features: the length of the vector
        activation: the non-linearity
        downsampler: what lowers the rate at the end of a stage
        normalization: how the weights of convolutions and of the linear layer are held
        pooling: what makes the vector out of the frames; none: the linear layer over all of them
        convolution: where convolutions look; none: as far back as ahead, so a frame sees what comes before and after it
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; activations before the convolutions as in
        Kumar et al. 2023, arxiv.org/abs/2306.06546. The linear end is this project's.
    Errors: ValueError for impossible sizes, and for a sound of another length than n_samples.

    >>> import torch
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> parts = {"activation": lambda channels: nn.ELU(), "downsampler": down, "normalization": keep}
    >>> SoundStreamEncoder(1, 1000, width=4, **parts)(torch.zeros(2, 1, 1000)).shape
    torch.Size([2, 256])
    """

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        width: int = 32,
        strides: tuple[int, ...] = (2, 4, 5, 8),
        dilations: tuple[int, ...] = (1, 3, 9),
        kernel_size: int = 7,
        frame_channels: int = 64,
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
        n_frames, widths = frames_of(n_samples, strides), doubled(width, strides)
        self.features = features
        self.whole = WholeFrames(n_samples, strides)
        self.conv_in = normalization(same_length(channels, width, kernel_size, convolution=convolution))
        self.stages = down_stages(
            widths,
            strides,
            [dilations] * len(strides),
            units=partial(
                residual_units,
                kernel_size=kernel_size,
                activation=activation,
                normalization=normalization,
                convolution=convolution,
            ),
            activation=activation,
            downsampler=downsampler,
        )
        self.act_out = activation(widths[-1])
        self.conv_out = normalization(same_length(widths[-1], frame_channels, 3, convolution=convolution))
        self.act_frames = activation(frame_channels)
        self.collapse = one_vector(pooling, frame_channels, n_frames, features, normalization)

    def frames(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b k n"]:
        """What the convolutions see, before one vector is made of it."""
        hidden = self.stages(self.conv_in(self.whole(audio)))
        frames: Tensor = self.act_frames(self.conv_out(self.act_out(hidden)))
        return frames

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b features"]:
        features: Tensor = self.collapse(self.frames(audio))
        return features
