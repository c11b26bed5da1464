"""What every head must do."""

from flowvae.contracts import Head
from flowvae.testing import checks_in, properties


def length_is_kept(make: Head) -> None:
    """(b, in, t) becomes (b, out, t), for even and odd lengths and for as many outputs as a filter bank has bands."""
    for out_channels, t in ((1, 64), (2, 63), (16, 64)):
        shape, expected = tuple(make(6, out_channels)(properties.noise(2, 6, t)).shape), (2, out_channels, t)
        assert shape == expected, f"the signal is {shape}, expected {expected}: pad by half the kernel"


CHECKS = (*checks_in(globals()), *properties.of_modules(lambda make: make(6, 2), 3, 6, 64))
