"""An encoder made of WaveGAN's judge."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Activation, Downsampler, Normalization, Pooling
from flowvae_components.blocks.down_stages import doubled
from flowvae_components.blocks.geometry import frames_of, require_positive, require_stages
from flowvae_components.blocks.one_vector import one_vector
from flowvae_components.blocks.whole_frames import WholeFrames


class WaveGANEncoder(nn.Module):
    """Downsampling in large steps, each followed by an activation, then a pooling.

    Formula: x_i+1 = act(down_i(x_i)), x_0 = audio, with twice the channels after each; features = pooling(x_n).
        WaveGAN has no encoder: this is its discriminator without phase shuffle, whose linear layer to one number gives a
        vector here.
    Shapes: (b, channels, n_samples) -> (b, features); silence is added at the end where n_samples is no multiple of
        the product of the strides.
    Units: audio is amplitude in [-1, 1]; features have no unit.
    Parameters:
        width: channels after the first stage; after the last, width * 2^(number of strides - 1)
        strides: the factor by which each stage lowers the rate, 2 or more each; one stage at least
        features: the length of the vector
        activation: the non-linearity; leaky_relu in the published network
        downsampler: what lowers the rate; in the published network 25 taps for a stride of 4
        normalization: how the weights of the linear layer are held
        pooling: what makes the vector out of the frames; none: a linear layer over all of them
    Source: Donahue, McAuley and Puckette 2018, arxiv.org/abs/1802.04208, table 4.
    Errors: ValueError for impossible sizes, and for a sound of another length than n_samples.

    >>> import torch
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> def keep(layer): return layer
    >>> parts = {"activation": lambda channels: nn.ELU(), "downsampler": down, "normalization": keep}
    >>> WaveGANEncoder(1, 1000, width=4, **parts)(torch.zeros(2, 1, 1000)).shape
    torch.Size([2, 256])
    """

    def __init__(
        self,
        channels: int,
        n_samples: int,
        *,
        width: int = 64,
        strides: tuple[int, ...] = (4, 4, 4, 4, 4),
        features: int = 256,
        activation: Activation,
        downsampler: Downsampler,
        normalization: Normalization,
        pooling: Pooling | None = None,
    ) -> None:
        super().__init__()
        require_stages(strides, ())
        require_positive("strides", len(strides))
        for name, count in (("width", width), ("features", features)):
            require_positive(name, count)
        self.features, widths = features, [channels, *doubled(width, strides[1:])]
        stages = (
            nn.Sequential(downsampler(wide, wider, stride), activation(wider))
            for (wide, wider), stride in zip(pairwise(widths), strides, strict=True)
        )
        self.frames = nn.Sequential(WholeFrames(n_samples, strides), *stages)
        self.collapse = one_vector(
            pooling, widths[-1], frames_of(n_samples, strides), features, normalization
        )

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b features"]:
        features: Tensor = self.collapse(self.frames(audio))
        return features
