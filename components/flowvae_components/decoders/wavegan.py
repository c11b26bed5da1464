"""The generator of WaveGAN."""

from functools import partial
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Head, Modulation, Normalization, Upsampler
from flowvae_components.blocks.geometry import frames_of, periods_of, require_positive, require_stages
from flowvae_components.blocks.up_stage import UpStage
from flowvae_components.blocks.up_stages import halved
from flowvae_components.blocks.whole_frames import LaidOut


class WaveGANDecoder(nn.Module):
    """One linear layer that lays out all frames, then upsampling in large steps, each after an activation.

    Formula: x_0 = unflatten(linear(latent)); x_i+1 = up_i(act(x_i)), with half the channels after each; audio = head(x_n), cut to
        n_samples. One vector is what the published network starts from too.
        There the last upsampling gives the signal, and a tanh is around it. Here it gives `width` channels for the head:
        with a head of one convolution of one tap, both together are that one layer.
    Shapes: (b, latent_dim) -> (b, channels, n_samples).
    Units: the latent has no unit; audio is amplitude.
    Parameters:
        width: channels at the full rate; a frame after the linear layer has width * 2^(number of strides)
        strides: the factor by which each stage raises the rate, 2 or more each
        activation: the non-linearity; a ReLU in the published network: leaky_relu with a slope of 0
        upsampler: what raises the rate; in the published network 25 taps for a stride of 4
        normalization: how the weights of the linear layer are held; none in the published network
        head: what turns the last channels into the signal
        modulation: what the latent vector does before each activation; none: nothing
    Source: Donahue, McAuley and Puckette 2018, arxiv.org/abs/1802.04208, table 3.
    Errors: ValueError for impossible sizes.

    >>> import torch
    >>> def up(i, o, factor): return nn.ConvTranspose1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> def head(i, o): return nn.Conv1d(i, o, 1)
    >>> parts = {"activation": lambda channels: nn.ELU(), "upsampler": up, "normalization": keep, "head": head}
    >>> WaveGANDecoder(16, 1, 1000, width=2, **parts)(torch.zeros(2, 16)).shape
    torch.Size([2, 1, 1000])
    """

    def __init__(
        self,
        latent_dim: int,
        channels: int,
        n_samples: int,
        *,
        width: int = 32,
        strides: tuple[int, ...] = (4, 4, 4, 4, 4),
        activation: Activation,
        upsampler: Upsampler,
        normalization: Normalization,
        head: Head,
        modulation: Modulation | None = None,
    ) -> None:
        super().__init__()
        require_stages(strides, ())
        require_positive("width", width)
        self.n_samples, self.periods = n_samples, periods_of(strides)
        n_frames, widths = frames_of(n_samples, strides), halved(width, strides)
        self.frames = LaidOut(latent_dim, widths[0], n_frames, normalization=normalization)
        self.stages = nn.ModuleList()
        for (wide, narrow), stride in zip(pairwise(widths), strides, strict=True):
            # No residual unit is here for a modulation to stand before: the step itself takes its place.
            step = nn.Sequential(activation(wide), upsampler(wide, narrow, stride))
            modulate = partial(modulation, wide, latent_dim) if modulation else None
            self.stages.append(UpStage(nn.Identity(), nn.Sequential(step), modulate))
        self.head = head(widths[-1], channels)

    def forward(self, latent: Float[Tensor, "b d"]) -> Float[Tensor, "b c t"]:
        hidden = self.frames(latent)
        for stage in self.stages:
            hidden = stage(hidden, latent)
        audio: Tensor = self.head(hidden)
        return audio[..., : self.n_samples]
