"""Adam with decoupled weight decay."""

import torch
from torch import nn

from flowvae.contracts import Refused
from flowvae_components.optimizers.one_count import OneCountAdamW


def adamw(
    parameters: list[tuple[str, nn.Parameter]],
    *,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.8, 0.99),
    weight_decay: float = 0.0,
) -> torch.optim.AdamW:
    """Adam, with a decay on the weights that mix channels and on nothing else.

    Formula: m = b1 * m + (1 - b1) * g, v = b2 * v + (1 - b2) * g^2, w -= lr * (m' / (sqrt(v') + 1e-8) + decay * w),
        m' and v' corrected for their start. A parameter with at most one axis longer than 1 does not decay: a
        bias, a gain of weight norm, the rate of an activation. For these 0 is no neutral value: it
        silences a channel or turns an activation into another one.
    Shapes: any; the names of the parameters are kept in the optimizer's state.
    Units: lr is the highest rate of the run, per step.
    Parameters:
        lr: the highest learning rate; the schedule multiplies it.
        betas: how much of the mean of the gradient and of its square is kept at each step.
        weight_decay: the share of a weight that is taken off at a step, as a multiple of lr.
    Source: Loshchilov and Hutter 2019, arxiv.org/abs/1711.05101; the betas are those of the Descript audio codec.

    >>> layer = nn.Linear(3, 3)
    >>> [group["weight_decay"] for group in adamw(list(layer.named_parameters()), weight_decay=0.1).param_groups]
    [0.1, 0.0]
    """
    if lr <= 0:
        raise Refused("lr", f"lr must be above 0, got {lr}")
    if not all(0 <= beta < 1 for beta in betas):
        raise Refused("betas", f"betas must be from 0 to below 1, got {betas}")
    if weight_decay < 0:
        raise Refused("weight_decay", f"weight_decay must not be below 0, got {weight_decay}")
    mixing = [pair for pair in parameters if sum(size > 1 for size in pair[1].shape) > 1]
    others = [pair for pair in parameters if sum(size > 1 for size in pair[1].shape) <= 1]
    groups = [
        {"params": pairs, "weight_decay": decay}
        for pairs, decay in ((mixing, weight_decay), (others, 0.0))
        if pairs
    ]
    # Fused: a third of the time of the multi-tensor form for the 200 small tensors of a model here, and the
    # step count stays on the device.
    return OneCountAdamW(groups, lr=lr, betas=betas, fused=True)
