"""Lengths of kernels and strides: what a stack of convolutions can be built from."""

from itertools import accumulate
from math import prod
from operator import mul

from flowvae.contracts import Refused


def require_odd(name: str, taps: int) -> None:
    """An even kernel has no middle sample: every layer would shift the sound by half a sample.

    >>> require_odd("kernel_size", 7)
    """
    if taps < 1 or taps % 2 == 0:
        raise Refused(name, f"{name} must be odd and at least 1, got {taps}")


def require_stages(strides: tuple[int, ...], dilations: tuple[int, ...]) -> None:
    """A stage resamples by 2 or more, and its units have a dilation each.

    >>> require_stages((2, 4, 5, 8), (1, 3, 9))
    """
    if min(strides, default=2) < 2:
        raise Refused("strides", f"strides must be 2 or more each, got {strides}")
    if min(dilations, default=1) < 1:
        raise Refused("dilations", f"dilations must be 1 or more each, got {dilations}")


def require_staged(strides: tuple[int, ...], dilations: tuple[tuple[int, ...], ...]) -> None:
    """The same where each stage has dilations of its own.

    >>> require_staged((4, 2), ((1, 3, 9), (1, 3)))
    """
    if len(dilations) != len(strides):
        raise Refused(
            "dilations", f"dilations must be {len(strides)} arrays, one a stride, got {len(dilations)}"
        )
    for stage in dilations:
        require_stages(strides, stage)


def require_positive(name: str, count: int) -> None:
    """A layer without channels is a mistake of the recipe.

    >>> require_positive("width", 32)
    """
    if count < 1:
        raise Refused(name, f"{name} must be at least 1, got {count}")


def kernel_of(factor: int, overlap: int, extra: int) -> int:
    """The taps of a layer that changes the rate: of one that begins before the last has ended, where overlap is above 1.

    Only without extra taps has every sample as many of them as its neighbours.

    >>> kernel_of(4, 2, 0), kernel_of(4, 6, 1)
    (8, 25)
    """
    require_positive("overlap", overlap)
    if extra < 0:
        raise Refused("extra", f"extra must be at least 0, got {extra}")
    return overlap * factor + extra


def frames_of(n_samples: int, strides: tuple[int, ...]) -> int:
    """The frames that cover n_samples, the last one perhaps with silence after the end.

    >>> frames_of(16384, (2, 4, 5, 8))
    52
    """
    return -(-n_samples // prod(strides))


def periods_of(strides: tuple[int, ...]) -> tuple[int, ...]:
    """How many output samples one input sample of each upsampling stage spans, shortest first.

    >>> periods_of((8, 5, 4, 2))
    (2, 8, 40, 320)
    """
    return tuple(accumulate(reversed(strides), mul))
