"""Left for right."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Stream
from flowvae_components.augmentations.probability import require_probability


class ChannelSwap:
    """Exchanges left and right of some sounds: what stood left stands right, and is as wide as before.

    Formula: y_0 = x_1, y_1 = x_0 with the given probability, otherwise y = x; channels after the second stay, and a
        sound of one channel is what it was.
    Shapes: (b, c, t) -> the same; one draw a sound.
    Units: none.
    Parameters:
        probability: the share of the sounds whose sides are exchanged.
    Source: own; the plainest change of a stereo sound that has a mirror image.

    >>> from flowvae.testing.streams import SeededStream
    >>> ChannelSwap(probability=1.0)(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), SeededStream(0))
    tensor([[[3., 4.],
             [1., 2.]]])
    """

    def __init__(self, *, probability: float = 0.5) -> None:
        require_probability(probability)
        self.probability = probability

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        n_items, n_channels, _ = batch.shape
        chosen = stream.uniform(0.0, 1.0, (n_items, 1), batch.device) < self.probability
        channel = torch.arange(n_channels, device=batch.device)
        # Of one channel the first and the last of these are empty, and it is all that is left.
        swapped = torch.cat((channel[1:2], channel[:1], channel[2:]))
        first = n_channels * torch.arange(n_items, device=batch.device)[:, None]
        rows = first + torch.where(chosen, swapped, channel)
        return batch.flatten(0, 1).index_select(0, rows.flatten()).view(batch.shape)
