"""Windows over a sound."""

from flowvae.contracts import Refused


def samples_of(name: str, milliseconds: float, sample_rate: int) -> int:
    """A duration in samples, one at least; ValueError where it is not above 0.

    >>> samples_of("window_ms", 5.0, 44100)
    220
    """
    if milliseconds <= 0:
        raise Refused(name, f"{name} must be above 0, got {milliseconds}")
    return max(1, round(milliseconds * sample_rate / 1000))
