"""The generator of MelGAN, begun from one vector for the whole sound."""

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


class MelGANDecoder(nn.Module):
    """One linear layer that lays out all frames, then upsampling and residual stacks with mixed shortcuts.

    Formula: x_0 = conv(unflatten(linear(latent))); x_i+1 = units_i(up_i(act(x_i))), with half the channels after each stage;
        audio = head(act(x_n)), cut to n_samples. A unit is shortcut(x) + mix(act(dilated(act(x)))),
        shortcut a convolution of one tap.
        The published network is given frames of a spectrogram, of 80 bands, and ends in a tanh; one vector that all frames
        are laid out from is this project's change, and what is at the end is up to the head. Around a signal is
        silence; the published one is mirrored there, which a clip of few frames is too short for.
    Shapes: (b, latent_dim) -> (b, channels, n_samples).
    Units: the latent has no unit; audio is amplitude.
    Parameters:
        width: channels at the full rate; the first stage has width * 2^(number of strides)
        strides: the factor by which each stage raises the rate, 2 or more each
        dilations: the dilation of each residual unit of a stage, in samples of that stage
        kernel_size: taps of the dilated convolutions, odd; the first convolution of all has 2 * kernel_size + 1
        frame_channels: channels of a frame after the linear layer, which has n_frames * frame_channels outputs
        activation: the non-linearity; leaky_relu in the published network
        upsampler: what raises the rate at the start of a stage
        normalization: how the weights of convolutions and of the linear layer are held; weight_norm in the published network
        head: what turns the last channels into the signal
        modulation: what the latent vector does to the input of each residual unit; none: nothing
        convolution: where convolutions look; none: as far back as ahead
    Source: Kumar et al. 2019, arxiv.org/abs/1910.06711.
    Errors: ValueError for impossible sizes.

    >>> import torch
    >>> def up(i, o, factor): return nn.ConvTranspose1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> def head(i, o): return nn.Conv1d(i, o, 1)
    >>> parts = {"activation": lambda channels: nn.ELU(), "upsampler": up, "normalization": keep, "head": head}
    >>> MelGANDecoder(16, 1, 1000, width=2, frame_channels=8, **parts)(torch.zeros(2, 16)).shape
    torch.Size([2, 1, 1000])
    """

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        n_samples: int,
        *,
        width: int = 32,
        strides: tuple[int, ...] = (8, 8, 2, 2),
        dilations: tuple[int, ...] = (1, 3, 9),
        kernel_size: int = 3,
        frame_channels: int = 80,
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
        layers = Layers(activation=activation, normalization=normalization, convolution=convolution)
        self.frames = LaidOut(latent_dim, frame_channels, n_frames, normalization=normalization)
        self.conv_in = layers.conv(frame_channels, widths[0], 2 * kernel_size + 1)
        self.stages = UpStages(
            latent_dim,
            widths,
            strides,
            [dilations] * len(strides),
            units=layers.units_with_shortcuts(kernel_size),
            activation=activation,
            upsampler=upsampler,
            modulation=modulation,
        )
        self.out = nn.Sequential(activation(widths[-1]), head(widths[-1], channels))

    def forward(self, latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        hidden = self.stages(self.conv_in(self.frames(latent)), latent)
        audio: Tensor = self.out(hidden)
        return audio[..., : self.n_samples]
