"""The share of the sounds that an augmentation changes."""

from flowvae.contracts import Refused


def require_probability(probability: float) -> None:
    """A share is from none to all.

    >>> require_probability(0.5)
    """
    if not 0 <= probability <= 1:
        raise Refused("probability", f"probability must be from 0 to 1, got {probability}")
