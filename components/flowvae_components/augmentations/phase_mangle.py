"""A random all-pass filter."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused, Stream
from flowvae_components.augmentations.all_pass import all_pass
from flowvae_components.augmentations.probability import require_probability

HOST = torch.device("cpu")


class PhaseMangle:
    """Delays the partials around a random frequency and leaves every magnitude as it was.

    Formula: H(z) = z^-2 A(1/z) / A(z), A(z) = (1 - a / z)(1 - a* / z), a = radius * e^(i theta),
        theta = 2 pi f / sample_rate, log f evenly from log low_hz to log high_hz. On the unit circle
        H = e^(-i (2 w + 2 arg A)): a pure phase. Applied to blocks of samples (see all_pass); what rings past the end
        is cut off.
    Shapes: (b, c, t) -> the same; one filter a sound, the same in all channels, so a stereo image is kept.
    Units: frequencies in hertz; the radius is a pole's distance from 0, below 1.
    Parameters:
        probability: the share of the sounds that are filtered.
        low_hz: the lowest frequency of the filter in hertz.
        high_hz: the highest frequency of the filter in hertz.
        radius: the pole's radius; nearer to 1 is narrower and rings longer.
    Source: RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011; here in batch and on the batch's device.

    >>> from flowvae.testing.streams import SeededStream
    >>> x = torch.randn(4, 2, 500)
    >>> torch.equal(PhaseMangle(44100, probability=0.0)(x, SeededStream(0)), x)
    True
    """

    def __init__(
        self,
        sample_rate: int,
        *,
        probability: float = 0.8,
        low_hz: float = 20.0,
        high_hz: float = 2000.0,
        radius: float = 0.99,
    ) -> None:
        require_probability(probability)
        if not 0 < high_hz <= sample_rate / 2:
            raise Refused(
                "high_hz", f"high_hz must be above 0 and at most half the sample rate, got {high_hz}"
            )
        if not 0 < low_hz <= high_hz:
            raise Refused("low_hz", f"low_hz must be above 0 and at most {high_hz} (high_hz), got {low_hz}")
        if not 0 < radius < 1:
            raise Refused("radius", f"radius must be above 0 and below 1, got {radius}")
        self.sample_rate, self.probability, self.radius = sample_rate, probability, radius
        self.log_low, self.log_high = math.log(low_hz), math.log(high_hz)

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        n_items = len(batch)
        # What is computed of a filter is little, and wants the double precision that some devices lack.
        frequency = stream.uniform(self.log_low, self.log_high, (n_items,), HOST).exp().double()
        chosen = stream.uniform(0.0, 1.0, (n_items, 1, 1), batch.device) < self.probability
        mangled = all_pass(batch, 2 * math.pi / self.sample_rate * frequency, self.radius)
        return torch.where(chosen, mangled, batch)
