"""Adam that looks one step ahead."""

import torch
from torch import nn

from flowvae.contracts import Refused


def nadam(
    parameters: list[tuple[str, nn.Parameter]],
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
) -> torch.optim.NAdam:
    """Adam with Nesterov's momentum: the step has the present gradient in it once more.

    Formula: m and v as in adam; with u_t = b1 * (1 - 0.5 * 0.96^(0.004 t)) and U_t their product so far,
        w -= lr * (u_{t+1} * m / (1 - U_{t+1}) + (1 - u_t) * g / (1 - U_t)) / (sqrt(v') + 1e-8).
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        betas: how much of the mean of the gradient and of its square is kept at each step.
    Source: Dozat 2016, Incorporating Nesterov momentum into Adam.

    >>> layer = nn.Linear(3, 3)
    >>> nadam(list(layer.named_parameters())).param_groups[0]["betas"]
    (0.9, 0.999)
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not all(0 <= beta < 1 for beta in betas):
        raise Refused("betas", f"betas must be from 0 to below 1, got {betas}")
    return torch.optim.NAdam(parameters, lr=lr, betas=betas)
