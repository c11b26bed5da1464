"""What the flows of this package are asked for in numbers."""

from flowvae.contracts import Refused


def require_positive(**counts: int) -> None:
    """Refused where a count is below 1.

    >>> require_positive(n_bins=0)
    Traceback (most recent call last):
    flowvae.contracts.refusal.Refused: n_bins must be 1 or more, got 0
    """
    for name, count in counts.items():
        if count < 1:
            raise Refused(name, f"{name} must be 1 or more, got {count}")
