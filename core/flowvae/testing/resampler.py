"""What every downsampler and every upsampler must do."""

import torch
from torch import nn

from flowvae.contracts import Downsampler, Upsampler
from flowvae.testing import properties

FACTORS = (2, 3, 4, 5, 8)


def fewer_samples_exactly(make: Downsampler) -> None:
    """T becomes t / factor, for odd factors too."""
    for factor in FACTORS:
        shape = tuple(make(4, 6, factor)(properties.noise(2, 4, 12 * factor)).shape)
        assert shape == (2, 6, 12), (
            f"{12 * factor} samples at factor {factor} give {shape}, expected (2, 6, 12)"
        )


def more_samples_exactly(make: Upsampler) -> None:
    """T becomes t * factor, for odd factors too."""
    for factor in FACTORS:
        shape, expected = tuple(make(4, 6, factor)(properties.noise(2, 4, 12)).shape), (2, 6, 12 * factor)
        assert shape == expected, f"12 samples at factor {factor} give {shape}, expected {expected}"


def constant_survives_downsampling(make: Downsampler) -> None:
    """A constant gives a constant, away from the ends."""
    for factor in FACTORS:
        y = make(4, 6, factor)(torch.ones(1, 4, 24 * factor))[..., 8:-8].detach()
        assert float((y - y[..., :1]).abs().max()) < 1e-5, f"a constant gets a tone at factor {factor}"


def constant_repeats_with_the_factor(make: Upsampler) -> None:
    """A constant gives the same `factor` values again and again, away from the ends."""
    for factor in FACTORS:
        y = make(4, 6, factor)(torch.ones(1, 4, 24))[..., 8 * factor : -8 * factor]
        cells = y.detach().reshape(1, 6, -1, factor)
        assert float((cells - cells[..., :1, :]).abs().max()) < 1e-5, (
            f"a constant does not repeat after {factor} samples: the layer depends on where it stands"
        )


def _module(make: Downsampler | Upsampler) -> nn.Module:
    return make(4, 6, 3)


DOWNSAMPLER_CHECKS = (
    fewer_samples_exactly,
    constant_survives_downsampling,
    *properties.of_modules(_module, 3, 4, 24),
)
UPSAMPLER_CHECKS = (
    more_samples_exactly,
    constant_repeats_with_the_factor,
    *properties.of_modules(_module, 3, 4, 16),
)
