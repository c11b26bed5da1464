"""Noise in place of rounding."""

from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused, Stream


class Dequantize:
    """Fills the steps of rounded audio evenly, so that no sound lies on a grid.

    Formula: y = x + u, u evenly from -step / 2 to step / 2, step = 2^-(bits - 1).
        Around 0, so no offset is added, and one whole step wide, so no gap is left.
    Shapes: (b, c, t) -> the same; each sample of each channel has its own noise, as it has its own rounding.
    Units: amplitude, full scale is 1; at 16 bits the noise is 101 dB below it.
    Parameters:
        bits: the number of bits that the recordings were rounded to.
    Source: Theis, van den Oord and Bethge 2016, arxiv.org/abs/1511.01844.

    >>> import torch
    >>> from flowvae.testing.streams import SeededStream
    >>> bool(Dequantize(bits=8)(torch.zeros(2, 1, 100), SeededStream(0)).abs().max() <= 2**-8)
    True
    """

    def __init__(self, *, bits: int = 16) -> None:
        if bits < 1:
            raise Refused("bits", f"bits must be at least 1, got {bits}")
        self.step = 2.0 ** (1 - bits)

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        noise = stream.uniform(-self.step / 2, self.step / 2, tuple(batch.shape), batch.device)
        return noise.to(batch.dtype).add_(batch)
