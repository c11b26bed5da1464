"""Magnitudes that silence cannot break."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def soft_magnitude(spectrum: Complex[Tensor, "*b f n"], n_fft: int, floor: float) -> Float[Tensor, "*b f n"]:
    """The magnitude of a short-time spectrum in units of full scale, resting on a floor.

    Formula: sqrt(|spectrum / (n_fft / 4)|^2 + floor^2), for spectra of an unscaled Hann window.
        A sine of amplitude 1 gives n_fft / 4, so it reads 1 at every window and the floor means the same in all.
        Inside the root, the floor bounds both the logarithm and its gradient: at most 1 / (2 * floor).
    Shapes: (..., f, n) complex -> (..., f, n) real.
    Units: amplitude of a sine, full scale is 1.
    Source: the scale is the mean of the Hann window, 1/2, times the half of a sine that lies at its frequency.

    >>> soft_magnitude(torch.tensor([[512j]]), n_fft=2048, floor=1e-4)
    tensor([[1.]])
    """
    power = torch.view_as_real(spectrum).square().sum(-1)
    return (power * (4 / n_fft) ** 2 + floor**2).sqrt()
