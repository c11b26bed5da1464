"""What every upsampler must do."""

import torch

from flowvae.contracts import Upsampler
from flowvae.testing import checks_in, properties

FACTORS = (2, 3, 4, 5, 8)


def more_samples_exactly(make: Upsampler) -> None:
    """T becomes t * factor, for odd factors too."""
    for factor in FACTORS:
        shape, expected = tuple(make(4, 6, factor)(properties.noise(2, 4, 12)).shape), (2, 6, 12 * factor)
        assert shape == expected, f"12 samples at factor {factor} give {shape}, expected {expected}"


def constant_repeats_with_the_factor(make: Upsampler) -> None:
    """A constant gives the same `factor` values again and again, away from the ends."""
    for factor in FACTORS:
        y = make(4, 6, factor)(torch.ones(1, 4, 24))[..., 8 * factor : -8 * factor]
        cells = y.detach().reshape(1, 6, -1, factor)
        assert float((cells - cells[..., :1, :]).abs().max()) < 1e-5, (
            f"a constant does not repeat after {factor} samples: the layer depends on where it stands"
        )


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: make(4, 6, 3), 3, 4, 16))
