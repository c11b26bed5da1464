"""Gradients over their own size."""

import torch
from torch import nn

from flowvae.contracts import Refused


def rmsprop(
    parameters: list[tuple[str, nn.Parameter]], *, lr: float = 1e-3, smoothing: float = 0.99
) -> torch.optim.RMSprop:
    """Steps by the gradient over the root of the mean of its square, without a memory of its direction.

    Formula: v = smoothing * v + (1 - smoothing) * g^2, w -= lr * g / (sqrt(v) + 1e-8), v from 0 and not corrected for its
        start: the first steps are up to 1 / sqrt(1 - smoothing) times as long as those that follow.
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        smoothing: how much of the mean of the square is kept at each step, from 0 to below 1.
    Source: Tieleman and Hinton 2012, lecture 6.5; of second players, the first Wasserstein GAN, arxiv.org/abs/1701.07875.

    >>> layer = nn.Linear(3, 3)
    >>> rmsprop(list(layer.named_parameters())).param_groups[0]["alpha"]
    0.99
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not 0 <= smoothing < 1:
        raise Refused("smoothing", f"smoothing must be from 0 to below 1, got {smoothing}")
    return torch.optim.RMSprop(parameters, lr=lr, alpha=smoothing)
