"""What every downsampler must do."""

import torch

from flowvae.contracts import Downsampler
from flowvae.testing import checks_in, properties

FACTORS = (2, 3, 4, 5, 8)


def fewer_samples_exactly(make: Downsampler) -> None:
    """T becomes t / factor, for odd factors too."""
    for factor in FACTORS:
        shape = tuple(make(4, 6, factor)(properties.noise(2, 4, 12 * factor)).shape)
        assert shape == (2, 6, 12), (
            f"{12 * factor} samples at factor {factor} give {shape}, expected (2, 6, 12)"
        )


def constant_survives_downsampling(make: Downsampler) -> None:
    """A constant gives a constant, away from the ends."""
    for factor in FACTORS:
        y = make(4, 6, factor)(torch.ones(1, 4, 24 * factor))[..., 8:-8].detach()
        assert float((y - y[..., :1]).abs().max()) < 1e-5, f"a constant gets a tone at factor {factor}"


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: make(4, 6, 3), 3, 4, 24))
