"""Between a sound and the frames of a network: silence at the end, and one layer that lays out all frames."""

from math import prod

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Normalization
from flowvae_components.blocks.geometry import frames_of
from flowvae_components.blocks.initial import level_keeping


class WholeFrames(nn.Module):
    """Adds silence at the end of a sound until the strides divide it.

    Formula: y = (audio, 0, ..., 0), of ceil(n_samples / product of the strides) times that product samples.
    Shapes: (b, c, n_samples) -> (b, c, n_frames * product of the strides).
    Units: amplitude.
    Source: as the Descript audio codec does it, Kumar et al. 2023, arxiv.org/abs/2306.06546.
    Errors: ValueError for a sound of another length than n_samples.

    >>> import torch
    >>> WholeFrames(1000, (4, 8))(torch.zeros(1, 1, 1000)).shape
    torch.Size([1, 1, 1024])
    """

    def __init__(self, n_samples: int, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.n_samples = n_samples
        self.missing = frames_of(n_samples, strides) * prod(strides) - n_samples

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b c n"]:
        if audio.shape[-1] != self.n_samples:
            raise ValueError(f"n_samples is {self.n_samples} in this encoder, got {audio.shape[-1]} samples")
        return functional.pad(audio, (0, self.missing))


class LaidOut(nn.Module):
    """Lays out all frames of a sound from one vector, in one linear layer.

    Formula: frames = unflatten(linear(latent)): every frame has weights of its own.
    Shapes: (b, latent_dim) -> (b, frame_channels, n_frames).
    Units: none.
    Source: the generator of WaveGAN, Donahue et al. 2019, arxiv.org/abs/1802.04208.

    >>> import torch
    >>> LaidOut(8, 4, 10, normalization=lambda layer: layer)(torch.zeros(2, 8)).shape
    torch.Size([2, 4, 10])
    """

    def __init__(
        self, latent_dim: int, frame_channels: int, n_frames: int, *, normalization: Normalization
    ) -> None:
        super().__init__()
        self.frame_channels = frame_channels
        self.expand = normalization(level_keeping(nn.Linear(latent_dim, frame_channels * n_frames)))

    def forward(self, latent: Float[Tensor, "b d"]) -> Float[Tensor, "b k n"]:
        frames: Tensor = self.expand(latent).unflatten(1, (self.frame_channels, -1))
        return frames
