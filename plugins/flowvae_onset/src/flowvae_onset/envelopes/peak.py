"""The highest sample over time."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae_onset.frames import samples_of


class Peak(nn.Module):
    """The largest absolute sample of each window, over all channels.

    Formula: e[n] = max of |x| over window n and all channels.
    Shapes: (b, c, t) -> (b, n), n = ceil((t - window) / hop) + 1.
    Units: amplitude; a sine of amplitude 1 has 1. The gradient reaches one sample a window.
    Parameters:
        window_ms: length of a window in ms, above 0
        hop_ms: from one window to the next in ms, above 0
    Source: the definition.
    Errors: ValueError for a duration that is not above 0.

    >>> import torch
    >>> Peak(1000, window_ms=2.0, hop_ms=2.0)(torch.tensor([[[0.0, -3.0, 1.0, 2.0]]]))
    tensor([[3., 2.]])
    """

    def __init__(self, sample_rate: int, *, window_ms: float = 5.0, hop_ms: float = 2.5) -> None:
        super().__init__()
        self.window = samples_of("window_ms", window_ms, sample_rate)
        self.hop = samples_of("hop_ms", hop_ms, sample_rate)

    def forward(self, audio: Float[Tensor, "b c t"]) -> Float[Tensor, "b n"]:
        highest = audio.abs().amax(1)
        window = min(self.window, audio.shape[-1])
        return functional.max_pool1d(highest[:, None], window, self.hop, ceil_mode=True)[:, 0]
