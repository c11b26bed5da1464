"""Adam that waits until it knows how large gradients are."""

import torch
from torch import nn

from flowvae.contracts import Refused


def radam(
    parameters: list[tuple[str, nn.Parameter]],
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.RAdam:
    """Adam whose steps are as long as what it knows of the size of gradients allows: a warm-up that needs no length.

    Formula: m and v as in adam. With r_inf = 2 / (1 - b2) - 1 and r = r_inf - 2 t b2^t / (1 - b2^t) at step t,
        w -= lr * m' * sqrt((r - 4)(r - 2) r_inf / ((r_inf - 4)(r_inf - 2) r)) / (sqrt(v') + 1e-8) where r > 5, and
        w -= lr * m' before.
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        betas: how much of the mean of the gradient and of its square is kept at each step.
    Source: Liu et al. 2020, arxiv.org/abs/1908.03265.

    >>> layer = nn.Linear(3, 3)
    >>> radam(list(layer.named_parameters())).param_groups[0]["betas"]
    (0.9, 0.999)
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not all(0 <= beta < 1 for beta in betas):
        raise Refused("betas", f"betas must be from 0 to below 1, got {betas}")
    return torch.optim.RAdam(parameters, lr=lr, betas=betas)
