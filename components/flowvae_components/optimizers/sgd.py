"""Gradient descent with momentum."""

import torch
from torch import nn

from flowvae.contracts import Refused


def sgd(
    parameters: list[tuple[str, nn.Parameter]], *, lr: float = 1e-2, momentum: float = 0.9
) -> torch.optim.SGD:
    """Steps along the gradient, with a share of the last step in it.

    Formula: m = momentum * m + g, w -= lr * m; m begins as the first gradient.
        Unlike Adam and its kin it keeps the size of a gradient: of two losses the steeper one moves the weights more.
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        momentum: how much of the last step is in the next one, from 0 to below 1.
    Source: Polyak 1964; torch.optim.SGD, as in Sutskever et al. 2013, without dampening.

    >>> layer = nn.Linear(3, 3)
    >>> sgd(list(layer.named_parameters()), momentum=0.5).param_groups[0]["momentum"]
    0.5
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not 0 <= momentum < 1:
        raise Refused("momentum", f"momentum must be from 0 to below 1, got {momentum}")
    return torch.optim.SGD(parameters, lr=lr, momentum=momentum, fused=True)
