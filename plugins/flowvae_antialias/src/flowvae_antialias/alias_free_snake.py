"""Snake at twice the rate."""

import math

import torch
from flowvae.contracts import Refused
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae_antialias.half_band import N_TAPS, half_band_taps

LEFT = N_TAPS // 2 - 1
"""Samples that a filter of an even length looks back."""


class AliasFreeSnake(nn.Module):
    """Adds a learned ripple to the signal at twice its rate, and filters before it goes back.

    Formula: y = down(snake(up(x))), snake(u) = u + sin(alpha * u)^2 / alpha, alpha = exp(log_alpha), one a channel.
        up puts a zero after each sample and filters, with a gain of 2; down filters and keeps every other sample.
        Overtones between the two Nyquist frequencies, which would fold back as tones of another pitch, are
        filtered out; those above the higher one still fold. The ends are continued by their last sample.
    Shapes: (b, c, t) -> (b, c, t), any t; log_alpha is (c, 1).
    Units: x is a hidden amplitude, without unit; alpha is radians per unit of x.
        Small signals pass with 0 dB up to 0.2 of the rate, -0.8 dB at 0.3 and -5.2 dB at 0.45, without delay.
    Parameters:
        alpha: the ripple rate of every channel before training, above 0
    Source: Lee et al. 2023 (BigVGAN), arxiv.org/abs/2206.04658, section 3.2; Karras et al. 2021,
        arxiv.org/abs/2106.12423.
    Errors: ValueError where alpha is not above 0.

    >>> AliasFreeSnake(4)(torch.zeros(2, 4, 9)).shape
    torch.Size([2, 4, 9])
    """

    taps: Tensor

    def __init__(self, channels: int, *, alpha: float = 1.0) -> None:
        super().__init__()
        if alpha <= 0:
            raise Refused("alpha", f"alpha must be above 0, got {alpha}")
        # Learnt in the log: alpha cannot reach 0, so the division needs no epsilon.
        self.log_alpha = nn.Parameter(torch.full((channels, 1), math.log(alpha)))
        self.register_buffer("taps", half_band_taps().to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        # In half precision the filters leave a floor of noise, and the ripple loses its phase.
        full = torch.promote_types(x.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            alpha = self.log_alpha.to(full).exp()
            up = doubled(x.to(full), self.taps.to(full))
            y = halved(up + torch.sin(alpha * up).square() / alpha, self.taps.to(full))
        return y.to(x.dtype)


def doubled(x: Float[Tensor, "b c t"], taps: Float[Tensor, " k"]) -> Float[Tensor, "b c t2"]:
    """The signal at twice the rate; sample m of the input lies between samples 2m and 2m + 1 of the output.

    >>> doubled(torch.ones(1, 1, 3), half_band_taps().float()).shape
    torch.Size([1, 1, 6])
    """
    padded = functional.pad(x, (LEFT, LEFT), mode="replicate")
    weight = 2 * taps.expand(x.shape[1], 1, -1)
    # The padding at twice the rate, and the ends of the filter: what is left is 2 * t samples without delay.
    cut = 2 * LEFT + LEFT
    full: Tensor = functional.conv_transpose1d(padded, weight, stride=2, groups=x.shape[1])
    return full[..., cut:-cut]


def halved(x: Float[Tensor, "b c t2"], taps: Float[Tensor, " k"]) -> Float[Tensor, "b c t"]:
    """The signal at half the rate, the way back from `doubled`.

    >>> halved(torch.ones(1, 1, 6), half_band_taps().float()).shape
    torch.Size([1, 1, 3])
    """
    padded = functional.pad(x, (LEFT, LEFT + 1), mode="replicate")
    weight = taps.expand(x.shape[1], 1, -1)
    y: Tensor = functional.conv1d(padded, weight, stride=2, groups=x.shape[1])
    return y
