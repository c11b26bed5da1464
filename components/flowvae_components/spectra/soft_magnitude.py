"""Magnitudes that silence cannot break."""

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
    power = torch.view_as_real(spectrum).square().sum(-1)
    return (power / full_scale**2 + floor**2).sqrt()
