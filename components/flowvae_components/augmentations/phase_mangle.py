"""A random all-pass filter."""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from flowvae.contracts import Refused, Stream
from flowvae_components.augmentations.probability import require_probability
from flowvae_components.spectra.fast_length import fast_length

LONGEST_S = 10
"""Longer ringing takes transforms that no clip is worth: they grow with it, whatever the length of the clip."""


class PhaseMangle:
    """Delays the partials around a random frequency and leaves every magnitude as it was.

    Formula: H(z) = z^-2 A(1/z) / A(z), A(z) = (1 - a / z)(1 - a* / z), a = radius * e^(i theta),
        theta = 2 pi f / sample_rate, log f evenly from log low_hz to log high_hz. On the unit circle
        H = e^(-i (2 w + 2 arg A)): a pure phase, so |H| is 1 to the last bit. Applied as one product of spectra
        with enough zeros behind the sound for the filter to ring out; what rings past the end is cut off.
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
        # The ringing falls as radius^n: this many samples later it is 120 dB down, under 16-bit rounding.
        self.n_ring = math.ceil(math.log(1e-6) / math.log(radius))
        if self.n_ring > LONGEST_S * sample_rate:
            raise Refused(
                "radius",
                f"radius must let the filter ring out within {LONGEST_S} s, got {radius}: "
                f"it takes {self.n_ring / sample_rate:.0f} s",
            )

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        n_items, _, n_samples = batch.shape
        n_fft = fast_length(n_samples + self.n_ring)
        frequency = stream.uniform(self.log_low, self.log_high, (n_items,), batch.device).exp()
        chosen = stream.uniform(0.0, 1.0, (n_items,), batch.device) < self.probability
        response = self.response(2 * math.pi * frequency.to(batch.dtype) / self.sample_rate, n_fft)
        mangled = torch.fft.irfft(torch.fft.rfft(batch, n_fft) * response[:, None, :], n_fft)[..., :n_samples]
        return torch.where(chosen[:, None, None], mangled, batch)

    def response(self, theta: Float[Tensor, " b"], n_fft: int) -> Complex[Tensor, "b f"]:
        """The filter's response at the frequencies of a real transform."""
        w = torch.arange(n_fft // 2 + 1, dtype=theta.dtype, device=theta.device) * (2 * math.pi / n_fft)
        phase = -2 * w
        # One section for each pole: expanded to a polynomial, single precision loses the low frequencies.
        for angle in (theta[:, None] - w, -theta[:, None] - w):
            real, imaginary = 1 - self.radius * torch.cos(angle), -self.radius * torch.sin(angle)
            phase = phase - 2 * torch.atan2(imaginary, real)
        return torch.polar(torch.ones_like(phase), phase)
