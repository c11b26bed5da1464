"""Every sound at one level before it is judged."""

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused


class PeakScaled:
    """Takes the mean off each channel and scales it to one peak: what is judged is the sound and not its level.

    Formula: y = peak * centred / (max |centred| + floor), centred = x - mean of x over time, for each item and
        channel by itself, in float32 at least.
        A discriminator behind it says nothing about offset, gain or the balance of the channels: the losses of
        the reconstruction have to. Its gradient grows as the sound gets quieter, at most peak / floor times.
    Shapes: (b, c, t) -> the same.
    Units: amplitude; floor and peak are relative to full scale.
    Parameters:
        peak: the largest amplitude of a sound whose own is far above the floor.
        floor: an amplitude that is added to a sound's own peak. It keeps silence silent: with 1e-9, as first
            published, what rounding leaves of a constant comes out as noise almost at full level.
    Source: Kumar et al. 2023 (Descript audio codec), arxiv.org/abs/2306.06546, its Discriminator.preprocess.

    >>> PeakScaled(peak=0.8, floor=1e-4)(torch.tensor([[[0.0, 0.5, 1.0]]]))
    tensor([[[-0.7998,  0.0000,  0.7998]]])
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
        return self.peak * centred / (centred.abs().amax(dim=-1, keepdim=True) + self.floor)
