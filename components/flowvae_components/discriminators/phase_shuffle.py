"""A small random shift of hidden layers."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Stream


def phase_shuffle(x: Float[Tensor, "b c t"], radius: int, stream: Stream) -> Float[Tensor, "b c t"]:
    """Shifts a layer by a few samples, all sounds and channels alike.

    Formula: y[n] = x[mirrored(n + shift)], shift from -radius to radius, all equally likely; indices before the start
        and after the end are mirrored there, so the length stays.
        The tones that upsampling leaves behind always have the same phase; a judge that knew the phase by heart would need
        nothing else.
    Shapes: (b, c, t) -> the same, t above radius.
    Units: samples of the layer.
    Source: Donahue, McAuley and Puckette 2018 (WaveGAN), arxiv.org/abs/1802.04208, section 3.3.

    >>> from flowvae.testing.streams import SeededStream
    >>> x = torch.arange(5.0).expand(1, 1, 5)
    >>> torch.equal(phase_shuffle(x, 0, SeededStream(0)), x)
    True
    """
    last = x.shape[-1] - 1
    shift = stream.integers(-radius, radius, (1,), x.device)
    # The shift stays on its device: it bends the indices, and nothing waits for its value.
    index = (torch.arange(last + 1, device=x.device) + shift).abs()
    return x.index_select(-1, last - (last - index).abs())
