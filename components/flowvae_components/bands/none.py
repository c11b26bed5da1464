"""No filter bank: the network sees samples."""

from jaxtyping import Float
from torch import Tensor, nn


class NoBands(nn.Module):
    """Hands audio to the network as it is: one band a channel, at the full rate.

    Formula: bands = audio.
    Shapes: (b, c, t) -> (b, c, t), both ways.
    Units: amplitude in [-1, 1].
    Parameters: none.
    Source: none; the case against which a filter bank is compared.

    >>> import torch
    >>> NoBands().analysis(torch.zeros(2, 1, 8)).shape
    torch.Size([2, 1, 8])
    """

    n_bands = 1

    def analysis(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return audio

    def synthesis(self, bands: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        return bands
