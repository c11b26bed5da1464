"""Fewer and fewer frames, down to one."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Activation, Downsampler, Normalization, Refused
from flowvae_components.blocks.initial import level_keeping


class Strided(nn.Module):
    """Lowers the rate again and again until one frame is left, then mixes its channels in one linear layer.

    Formula: x_0 = frames; x_i+1 = down_i(act(x_i)), down_i by stride, or by all that is left where that is less;
        y = linear(act(x_last)). Silence is added at the end of each x_i that its stride does not divide. Order is kept, by
        weights that are shared along each x_i; they grow with the logarithm of the clip.
    Shapes: (b, channels, n_frames) -> (b, features).
    Units: none; stride is in frames.
    Parameters:
        stride: the factor of each layer, 2 or more
        activation: the non-linearity before each layer
        downsampler: what lowers the rate
        normalization: how the weights of the linear layer are held
    Source: the way to one number of MelGAN's and WaveGAN's judges, Donahue et al. 2019, arxiv.org/abs/1802.04208, taken on
        to a single frame, as in Radford et al. 2016, arxiv.org/abs/1511.06434.
    Errors: ValueError for a stride below 2.

    >>> import torch
    >>> def down(i, o, factor): return nn.Conv1d(i, o, factor, stride=factor)
    >>> parts = {"activation": lambda channels: nn.ELU(), "downsampler": down, "normalization": lambda layer: layer}
    >>> Strided(4, 10, 6, **parts)(torch.zeros(2, 4, 10)).shape
    torch.Size([2, 6])
    """

    def __init__(
        self,
        channels: int,
        n_frames: int,
        features: int,
        *,
        stride: int = 4,
        activation: Activation,
        downsampler: Downsampler,
        normalization: Normalization,
    ) -> None:
        super().__init__()
        if stride < 2:
            raise Refused("stride", f"stride must be at least 2, got {stride}")
        self.missing: list[int] = []
        self.layers = nn.ModuleList()
        while n_frames > 1:
            factor = min(stride, n_frames)
            self.missing.append(-n_frames % factor)
            self.layers.append(nn.Sequential(activation(channels), downsampler(channels, channels, factor)))
            n_frames = -(-n_frames // factor)
        self.act_out = activation(channels)
        self.mix = normalization(level_keeping(nn.Linear(channels, features)))

    def forward(self, frames: Float[Tensor, "b c n"]) -> Float[Tensor, "b f"]:
        for layer, missing in zip(self.layers, self.missing, strict=True):
            frames = layer(functional.pad(frames, (0, missing)))
        y: Tensor = self.mix(self.act_out(frames)[..., 0])
        return y
