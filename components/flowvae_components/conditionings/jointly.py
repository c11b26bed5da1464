"""Every sound at one level before it is judged, with its channels as they stand to each other."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused


class PeakScaledJointly:
    """Takes the mean off each channel and scales all channels of a sound by one gain: their balance is heard.

    Formula: y = peak * centred / (max over channels and time of |centred| + floor), centred = x - mean of x over time, in
        float32 at least. peak_scaled brings every channel to the peak by itself, and then no discriminator can say that a
        sound has moved to another side. Of one channel both are the same.
    Shapes: (b, c, t) -> the same.
    Units: amplitude; floor and peak are relative to full scale.
    Parameters:
        peak: the largest amplitude of a sound whose own is far above the floor.
        floor: an amplitude that is added to a sound's own peak; it keeps silence silent.
    Source: Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546, for the scaling; one gain for both channels
        as in loudness normalisation, ITU-R BS.1770.

    >>> PeakScaledJointly(peak=0.8, floor=1e-9)(torch.tensor([[[0.0, 0.5, 1.0], [0.0, 0.25, 0.5]]]))
    tensor([[[-0.8000,  0.0000,  0.8000],
             [-0.4000,  0.0000,  0.4000]]])
    """

    def __init__(self, *, peak: float = 0.8, floor: float = 1e-4) -> None:
        if peak <= 0:
            raise Refused("peak", f"peak must be above 0, got {peak}")
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.peak, self.floor = peak, floor

    def __call__(self, sound: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        wide = sound.to(torch.promote_types(sound.dtype, torch.float32))
        centred = wide - wide.mean(dim=-1, keepdim=True)
        return self.peak * centred / (centred.abs().amax(dim=(-2, -1), keepdim=True) + self.floor)
