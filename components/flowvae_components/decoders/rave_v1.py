"""The decoder of RAVE's first version, begun from one vector for the whole sound."""

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
from flowvae_components.blocks.layers import Layers
from flowvae_components.blocks.up_stages import UpStages, halved
from flowvae_components.blocks.whole_frames import LaidOut


class RAVEv1Decoder(nn.Module):
    """One linear layer that lays out all frames, then upsampling and residual pairs of short convolutions, without biases.

    Formula: x_0 = conv(unflatten(linear(latent))); x_i+1 = units_i(up_i(act(x_i))), with half the channels after each stage;
        audio = head(x_n), cut to n_samples. A unit is x + mix(act(dilated(act(x)))), mix as long as dilated. No convolution has
        a bias, and no activation comes before the head.
        The published network is given frames; one vector that all frames are laid out from is this project's change. Its end is
        the head rave_v1, with noise_synth around it for the noise.
    Shapes: (b, latent_dim) -> (b, channels, n_samples).
    Units: the latent has no unit; audio is amplitude.
    Parameters:
        width: channels at the full rate; the first stage has width * 2^(number of strides)
        strides: the factor by which each stage raises the rate, 2 or more each
        dilations: the dilation of each residual unit of a stage, in samples of that stage
        kernel_size: taps of both convolutions of a unit, odd; the first convolution of all has 2 * kernel_size + 1
        frame_channels: channels of a frame after the linear layer, which has n_frames * frame_channels outputs
        activation: the non-linearity; leaky_relu in the published network
        upsampler: what raises the rate at the start of a stage; without a bias in the published network
        normalization: how the weights of convolutions and of the linear layer are held; weight_norm in the published network
        head: what turns the last channels into the signal
        modulation: what the latent vector does to the input of each residual unit; none: nothing
        convolution: where convolutions look; none: as far back as ahead
    Source: Caillon and Esling 2021, arxiv.org/abs/2111.05011; made for the 16 bands of pqmf. Its strides are in the order of the
        encoder's, and not mirrored.
    Errors: ValueError for impossible sizes.

    >>> import torch
    >>> def up(i, o, factor): return nn.ConvTranspose1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> def head(i, o): return nn.Conv1d(i, o, 1)
    >>> parts = {"activation": lambda channels: nn.ELU(), "upsampler": up, "normalization": keep, "head": head}
    >>> RAVEv1Decoder(16, 1, 1000, width=2, frame_channels=8, **parts)(torch.zeros(2, 16)).shape
    torch.Size([2, 1, 1000])
    """

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        n_samples: int,
        *,
        width: int = 64,
        strides: tuple[int, ...] = (4, 4, 4, 2),
        dilations: tuple[int, ...] = (1, 3, 5),
        kernel_size: int = 3,
        frame_channels: int = 128,
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
        self.n_samples, self.periods = n_samples, periods_of(strides)
        n_frames, widths = frames_of(n_samples, strides), halved(width, strides)
        layers = Layers(
            activation=activation, normalization=normalization, convolution=convolution, bias=False
        )
        self.frames = LaidOut(latent_dim, frame_channels, n_frames, normalization=normalization)
        self.conv_in = layers.conv(frame_channels, widths[0], 2 * kernel_size + 1)
        self.stages = UpStages(
            latent_dim,
            widths,
            strides,
            [dilations] * len(strides),
            units=layers.units(kernel_size, mix_size=kernel_size),
            activation=activation,
            upsampler=upsampler,
            modulation=modulation,
        )
        self.head = head(widths[-1], channels)

    def forward(self, latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        hidden = self.stages(self.conv_in(self.frames(latent)), latent)
        audio: Tensor = self.head(hidden)
        return audio[..., : self.n_samples]
