"""The end of an encoder: one vector for all frames."""

from torch import nn

from flowvae.contracts import Normalization, Pooling
from flowvae_components.blocks.initial import level_keeping


def one_vector(
    pooling: Pooling | None, channels: int, n_frames: int, features: int, normalization: Normalization
) -> nn.Module:
    """What the recipe pools with, and otherwise one linear layer over all frames, each with weights of its own.

    Formula: y = pooling(frames), or y = linear(flatten(frames)).
    Shapes: (b, channels, n_frames) -> (b, features).
    Units: none.
    Source: the linear end is that of WaveGAN's discriminator, Donahue et al. 2019, arxiv.org/abs/1802.04208.

    >>> import torch
    >>> one_vector(None, 4, 10, 6, lambda layer: layer)(torch.zeros(2, 4, 10)).shape
    torch.Size([2, 6])
    """
    if pooling is not None:
        return pooling(channels, n_frames, features)
    return nn.Sequential(nn.Flatten(), normalization(level_keeping(nn.Linear(channels * n_frames, features))))
