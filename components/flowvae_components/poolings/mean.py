"""The mean of all frames."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae.contracts import Normalization
from flowvae_components.blocks.initial import level_keeping


class Mean(nn.Module):
    """Averages the frames, then mixes their channels in one linear layer.

    Formula: y = linear(mean over n of frames[n]). Frames in another order give the same vector: when something sounds is known
        only as far as the frames themselves tell it. The weights do not grow with the length of the clip.
    Shapes: (b, channels, n_frames) -> (b, features).
    Units: none.
    Parameters:
        normalization: how the weights of the linear layer are held
    Source: global average pooling, Lin, Chen and Yan 2014, arxiv.org/abs/1312.4400, section 3.2.

    >>> import torch
    >>> Mean(4, 10, 6, normalization=lambda layer: layer)(torch.zeros(2, 4, 10)).shape
    torch.Size([2, 6])
    """

    def __init__(self, channels: int, n_frames: int, features: int, *, normalization: Normalization) -> None:
        super().__init__()
        self.mix = normalization(level_keeping(nn.Linear(channels, features)))

    def forward(self, frames: Float[Tensor, "b c n"]) -> Float[Tensor, "b f"]:
        y: Tensor = self.mix(frames.mean(-1))
        return y
