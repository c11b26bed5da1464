"""A turn of every partial's phase by one angle."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused, Stream
from flowvae_components.augmentations.probability import require_probability
from flowvae_components.spectra.fast_length import fast_length


class PhaseRotation:
    """Turns all partials of a sound by the same angle, which changes the waveform and no magnitude.

    Formula: y = cos(phi) x - sin(phi) Hilbert(x), phi evenly from -max_radians to max_radians. A cosine of any pitch
        becomes cos(w t + phi). Applied as one product of spectra, X e^(i phi), with as many zeros behind the sound as
        it is long, so that what the Hilbert transform spreads past one end does not come in again at the other. An
        offset has no phase: it is multiplied by cos(phi).
    Shapes: (b, c, t) -> the same; one angle a sound, the same in all channels, so a stereo image is kept.
    Units: radians.
    Parameters:
        probability: the share of the sounds that are turned.
        max_radians: the largest angle either way; with pi every phase is equally likely.
    Source: the phase shift of the Descript audio codec, Kumar et al. 2023, arxiv.org/abs/2306.06546; there by short
        windows, here over the whole sound.

    >>> from flowvae.testing.streams import SeededStream
    >>> x = torch.randn(4, 2, 500)
    >>> torch.equal(PhaseRotation(probability=0.0)(x, SeededStream(0)), x)
    True
    """

    def __init__(self, *, probability: float = 1.0, max_radians: float = 3.141592653589793) -> None:
        require_probability(probability)
        if not 0 <= max_radians <= math.pi:
            raise Refused("max_radians", f"max_radians must be from 0 to pi, got {max_radians}")
        self.probability, self.max_radians = probability, max_radians

    def __call__(self, batch: Float[Tensor, "b c t"], stream: Stream) -> Float[Tensor, "b c t"]:
        size, n_samples = (len(batch), 1, 1), batch.shape[-1]
        phi = stream.uniform(-self.max_radians, self.max_radians, size, batch.device).to(batch.dtype)
        chosen = stream.uniform(0.0, 1.0, size, batch.device) < self.probability
        n_fft = fast_length(2 * n_samples)
        turn = torch.polar(torch.ones_like(phi), phi)
        turned = torch.fft.irfft(torch.fft.rfft(batch, n_fft) * turn, n_fft)[..., :n_samples]
        return torch.where(chosen, turned, batch)
