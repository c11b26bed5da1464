"""Adam with the largest gradient in place of the mean of squares."""

import torch
from torch import nn

from flowvae.contracts import Refused


def adamax(
    parameters: list[tuple[str, nn.Parameter]],
    *,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.Adamax:
    """Steps by the mean of the gradient over the largest that was seen lately: no single weight moves by much more than lr.

    Formula: m = b1 * m + (1 - b1) * g, u = max(b2 * u, |g| + 1e-8), w -= lr * m / ((1 - b1^t) * u).
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        betas: how much of the mean of the gradient and of its largest size is kept at each step.
    Source: Kingma and Ba 2015, arxiv.org/abs/1412.6980, section 7.1.

    >>> layer = nn.Linear(3, 3)
    >>> adamax(list(layer.named_parameters())).param_groups[0]["lr"]
    0.002
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not all(0 <= beta < 1 for beta in betas):
        raise Refused("betas", f"betas must be from 0 to below 1, got {betas}")
    return torch.optim.Adamax(parameters, lr=lr, betas=betas)
