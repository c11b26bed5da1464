"""Any activation at twice the rate, so that most of its overtones can be taken out before they fold."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from flowvae.contracts import Activation
from flowvae_components.blocks.low_pass import low_pass_taps

N_TAPS = 12
CUTOFF, HALF_WIDTH = 0.25, 0.3
"""In units of the higher rate: the Nyquist frequency of the lower one, and half of the transition as BigVGAN has it."""
ATTENUATION_DB = 2.285 * (N_TAPS / 2 - 1) * math.pi * 4 * HALF_WIDTH + 7.95
"""51.0, by Kaiser's rule."""
REACH = N_TAPS // 2 - 1


class AntiAliased(nn.Module):
    """Raises the rate to twice as much, applies an activation there, and filters before it goes back.

    Formula: y = down(activation(up(x))). up puts a zero after each sample and filters, with a gain of 2; down filters and
        keeps every other sample; both with one windowed sinc of 12 taps, and the ends continued by their last sample.
        A bend of the curve makes overtones. Those between the Nyquist frequencies of the two rates, which at the lower
        one fold back as tones of another pitch, are weakened by the filter; those above the higher one still fold.
    Shapes: (b, c, t) -> (b, c, t), any t; the activation sees (b, c, 2 * t).
    Units: hidden amplitudes, without unit. Small signals pass with 0.0 dB at 0.2 of the rate, -0.8 dB at 0.3, -1.9 dB at 0.35,
        -3.5 dB at 0.4 and -5.2 dB at 0.45, in each layer anew, and without delay. It looks 5 samples back and 5 ahead, so
        it is not causal; it keeps about twice the memory of the activation.
    Parameters:
        activation: what is applied at twice the rate
    Source: Lee et al. 2023 (BigVGAN), arxiv.org/abs/2206.04658, section 3.2; Karras et al. 2021 (StyleGAN3),
        arxiv.org/abs/2106.12423.

    >>> AntiAliased(4, activation=lambda channels: nn.ELU())(torch.zeros(2, 4, 9)).shape
    torch.Size([2, 4, 9])
    """

    taps: Tensor

    def __init__(self, channels: int, *, activation: Activation) -> None:
        super().__init__()
        self.activation = activation(channels)
        taps = low_pass_taps(N_TAPS, CUTOFF, ATTENUATION_DB)
        self.register_buffer("taps", taps.to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Float[Tensor, "b c t"]) -> Float[Tensor, "b c t"]:
        # In half precision the filters would leave a floor of noise.
        full = torch.promote_types(x.dtype, torch.float32)
        with torch.autocast(x.device.type, enabled=False):
            taps = self.taps.to(full).expand(x.shape[1], 1, -1)
            y = halved(self.activation(doubled(x.to(full), taps)), taps)
        return y.to(x.dtype)


def doubled(x: Float[Tensor, "b c t"], taps: Float[Tensor, "c 1 k"]) -> Float[Tensor, "b c n"]:
    """The signal at twice the rate: sample m of the input lies in the middle of samples 2 * m and 2 * m + 1.

    >>> taps = low_pass_taps(N_TAPS, CUTOFF, ATTENUATION_DB).expand(1, 1, -1)
    >>> doubled(torch.ones(1, 1, 3).double(), taps).shape
    torch.Size([1, 1, 6])
    """
    up: Tensor = _Doubled.apply(x, 2 * taps)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return up


class _Doubled(torch.autograd.Function):
    """A transposed convolution with the gradient written out as a convolution: torch's own takes three times as long."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, taps: Tensor) -> Tensor:
        ctx.save_for_backward(taps)
        continued = functional.pad(x, (REACH, REACH), mode="replicate")
        # torch cuts both ends alike: what was continued, at twice the rate, and the ends of the filter.
        return functional.conv_transpose1d(continued, taps, stride=2, padding=3 * REACH, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grad_up,), (taps,) = gradients, ctx.saved_tensors
        continued = functional.conv1d(grad_up, taps, stride=2, padding=3 * REACH, groups=len(taps))
        first, inner, last = continued.tensor_split((REACH, continued.shape[-1] - REACH), dim=-1)
        # The ends were continued by copies: their gradients belong to what was copied.
        grad = inner.clone()
        grad[..., 0] += first.sum(-1)
        grad[..., -1] += last.sum(-1)
        return grad, None


def halved(x: Float[Tensor, "b c n"], taps: Float[Tensor, "c 1 k"]) -> Float[Tensor, "b c t"]:
    """The signal at half the rate, the way back from `doubled`.

    >>> taps = low_pass_taps(N_TAPS, CUTOFF, ATTENUATION_DB).expand(1, 1, -1)
    >>> halved(torch.ones(1, 1, 6).double(), taps).shape
    torch.Size([1, 1, 3])
    """
    continued = functional.pad(x, (REACH, REACH + 1), mode="replicate")
    down: Tensor = functional.conv1d(continued, taps, stride=2, groups=x.shape[1])
    return down
