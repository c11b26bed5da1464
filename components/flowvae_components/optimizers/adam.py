"""Adam, without weight decay."""

import torch
from torch import nn

from flowvae.contracts import Refused
from flowvae_components.optimizers.one_count import OneCountAdamW


def adam(
    parameters: list[tuple[str, nn.Parameter]],
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.5, 0.9),
) -> torch.optim.Adam:
    """Steps by the mean of the gradient, over the root of the mean of its square.

    Formula: m = b1 * m + (1 - b1) * g, v = b2 * v + (1 - b2) * g^2, w -= lr * m' / (sqrt(v') + 1e-8),
        m' and v' corrected for their start. It is adamw without its decay, with a shorter memory.
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        betas: how much of the mean of the gradient and of its square is kept at each step.
    Source: Kingma and Ba 2015, arxiv.org/abs/1412.6980; rate and betas are those of RAVE, arxiv.org/abs/2111.05011.

    >>> layer = nn.Linear(3, 3)
    >>> adam(list(layer.named_parameters())).param_groups[0]["betas"]
    (0.5, 0.9)
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not all(0 <= beta < 1 for beta in betas):
        raise Refused("betas", f"betas must be from 0 to below 1, got {betas}")
    # Fused, as adamw is: faster for many small tensors, and the step count stays on the device.
    return OneCountAdamW(parameters, lr=lr, betas=betas, weight_decay=0.0, fused=True)
