"""No normalization: the baseline of the kind."""

from torch import nn


def none(layer: nn.Module) -> nn.Module:
    """Leaves the layer as it is.

    Formula: weight = weight.
    Shapes: the layer's own.
    Units: weights have none.
    Parameters: none.
    Source: none; the case against which a normalization is compared.

    >>> layer = nn.Linear(2, 3)
    >>> none(layer) is layer
    True
    """
    return layer
