"""The decoder of SoundStream, begun from one vector for the whole sound."""

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Convolution, Head, Modulation, Normalization, Upsampler
from flowvae_components.blocks.geometry import (
    frames_of,
    periods_of,
    require_odd,
    require_positive,
    require_stages,
)
from flowvae_components.blocks.initial import level_keeping, same_length
from flowvae_components.blocks.residual import residual_units
from flowvae_components.blocks.up_stages import UpStages, halved


class SoundStreamDecoder(nn.Module):
    """One linear layer that lays out all frames, then upsampling and residual dilated convolutions in turn.

    Formula: frames = unflatten(linear(latent)); x_0 = conv(act(frames)); x_i+1 = units_i(up_i(act(x_i))), with half
        the channels after each stage; audio = head(act(x_n)), cut to n_samples.
    Shapes: (b, latent_dim) -> (b, channels, n_samples).
    Units: the latent has no unit; audio is amplitude.
    Parameters:
        width: channels at the full rate; the first stage has width * 2^(number of strides)
        strides: the factor by which each stage raises the rate, 2 or more each
        dilations: the dilation of each residual unit of a stage, in samples of that stage
        kernel_size: taps of the first convolution and of the dilated ones, odd
        frame_channels: channels of a frame after the linear layer, which has n_frames * frame_channels outputs
        activation: the non-linearity
        upsampler: what raises the rate at the start of a stage
        normalization: how the weights of convolutions and of the linear layer are held
        head: what turns the last channels into the signal
        modulation: what the latent vector does to the input of each residual unit; none: nothing
        convolution: where convolutions look; none: as far back as ahead
    Source: Zeghidour et al. 2021, arxiv.org/abs/2107.03312, section III; activations before the convolutions as in
        Kumar et al. 2023, arxiv.org/abs/2306.06546. The linear start is that of WaveGAN, arxiv.org/abs/1802.04208.
    Errors: ValueError for impossible sizes.

    >>> import torch
    >>> def up(i, o, factor): return nn.ConvTranspose1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> def head(i, o): return nn.Conv1d(i, o, 1)
    >>> parts = {"activation": lambda channels: nn.ELU(), "upsampler": up, "normalization": keep, "head": head}
    >>> SoundStreamDecoder(16, 1, 1000, width=4, **parts)(torch.zeros(2, 16)).shape
    torch.Size([2, 1, 1000])
    """

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        n_samples: int,
        *,
        width: int = 32,
        strides: tuple[int, ...] = (8, 5, 4, 2),
        dilations: tuple[int, ...] = (1, 3, 9),
        kernel_size: int = 7,
        frame_channels: int = 64,
        activation: Activation,
        upsampler: Upsampler,
        normalization: Normalization,
        head: Head,
        modulation: Modulation | None = None,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        require_stages(strides, dilations)
        require_odd("kernel_size", kernel_size)
        for name, count in (("width", width), ("frame_channels", frame_channels)):
            require_positive(name, count)
        n_frames, widths = frames_of(n_samples, strides), halved(width, strides)
        self.n_samples, self.frame_channels = n_samples, frame_channels
        self.periods = periods_of(strides)
        self.expand = normalization(level_keeping(nn.Linear(latent_dim, frame_channels * n_frames)))
        self.act_frames = activation(frame_channels)
        self.conv_in = normalization(
            same_length(frame_channels, widths[0], kernel_size, convolution=convolution)
        )
        self.stages = UpStages(
            latent_dim,
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
            upsampler=upsampler,
            modulation=modulation,
        )
        self.act_out = activation(width)
        self.head = head(width, channels)

    def forward(self, latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        frames = self.expand(latent).unflatten(1, (self.frame_channels, -1))
        hidden = self.stages(self.conv_in(self.act_frames(frames)), latent)
        audio: Tensor = self.head(self.act_out(hidden))
        return audio[..., : self.n_samples]
