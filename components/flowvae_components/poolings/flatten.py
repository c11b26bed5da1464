"""Every frame with weights of its own."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Normalization
from flowvae_components.blocks.initial import level_keeping


class Flatten(nn.Module):
    """Lays all frames side by side, before one linear layer.

    Formula: y = linear(flatten(frames)): n_frames * channels inputs, so the place of the onset and the order of the decay are
        kept. It is also the largest way to pool: its weights grow with the length of the clip.
    Shapes: (b, channels, n_frames) -> (b, features).
    Units: none.
    Parameters:
        normalization: how the weights of the linear layer are held
    Source: the discriminator of WaveGAN, Donahue et al. 2019, arxiv.org/abs/1802.04208.

    >>> import torch
    >>> Flatten(4, 10, 6, normalization=lambda layer: layer)(torch.zeros(2, 4, 10)).shape
    torch.Size([2, 6])
    """

    def __init__(self, channels: int, n_frames: int, features: int, *, normalization: Normalization) -> None:
        super().__init__()
        self.collapse = normalization(level_keeping(nn.Linear(channels * n_frames, features)))

    def forward(self, frames: Float[Tensor, "b c n"]) -> Float[Tensor, "b f"]:
        y: Tensor = self.collapse(frames.flatten(1))
        return y
