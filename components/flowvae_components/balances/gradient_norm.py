"""Weights that say which share of the pull a loss has."""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.linalg import vector_norm

from flowvae.contracts import Refused

TINY = 1e-12
"""Added to each average, as audiocraft does: a loss without a gradient pulls by 0 and not by 0 / 0."""


class GradientNorm:
    """Brings the gradient of each loss to one size before it is weighed, so that a weight is a share of the pull.

    Formula: G = sum over losses of total * (weight / sum of weights) * gradient / average,
        average = the moving mean over steps of norm, norm = mean over items of |gradient of the item|.
        The moving mean forgets by `decay` a step and is divided by the sum of what it weighs its steps with, so
        that it is a true mean from a loss's own first step on, whenever that is. It counts the step it is used
        in: a loss that wakes up pulls at most 1 / (1 - decay) times its share.
    Shapes: gradients (b, c, t) -> (b, c, t).
    Units: total is the norm of the gradient of one item, whatever the batch size; without a balance, under losses
        that are means over the batch, it would shrink as the batch grows. What is added outside of the balance,
        such as a divergence, has to be weighed against that.
    Parameters:
        total: the norm that the gradient of an item has where all losses pull the same way.
        decay: what is left of an average's memory a step later, from 0 (none) to below 1.
    Source: Defossez et al. 2022 (EnCodec), arxiv.org/abs/2210.13438, section 3.4; audiocraft's losses/balancer.py.

    >>> steep, flat = torch.full((1, 1, 4), 1000.0), torch.full((1, 1, 4), 1.0)
    >>> GradientNorm()({"a": steep, "b": flat}, {"a": 1.0, "b": 1.0})
    tensor([[[0.5000, 0.5000, 0.5000, 0.5000]]])
    """

    def __init__(self, *, total: float = 1.0, decay: float = 0.999) -> None:
        if total <= 0:
            raise Refused("total", f"total must be above 0, got {total}")
        if not 0 <= decay < 1:
            raise Refused("decay", f"decay must be from 0 to below 1, got {decay}")
        self.total, self.decay = total, decay
        self._sums: dict[str, Tensor] = {}  # of norms by loss, each weighed by decay^(its age)
        self._counts: dict[str, Tensor] = {}  # of these weights

    def __call__(
        self, gradients: Mapping[str, Float[Tensor, "b c t"]], weights: Mapping[str, float]
    ) -> Float[Tensor, "b c t"]:
        whole = sum(weights[name] for name in gradients)
        if whole <= 0:
            raise ValueError(f"the weights must have a sum above 0, got {dict(weights)}")
        pulls = [
            gradient * (self.total * weights[name] / whole / (self._average(name, gradient) + TINY))
            for name, gradient in gradients.items()
        ]
        return torch.stack(pulls).sum(0)

    def _average(self, name: str, gradient: Tensor) -> Tensor:
        """The mean norm of a loss's gradients up to this one."""
        norm = vector_norm(gradient.detach(), dim=(1, 2)).mean()
        # A sum that was taken up from a checkpoint comes to where the gradient is.
        old_sum, old_count = (
            kept.get(name, torch.zeros_like(norm)).to(norm) for kept in (self._sums, self._counts)
        )
        self._sums[name] = self.decay * old_sum + norm
        self._counts[name] = self.decay * old_count + 1
        return self._sums[name] / self._counts[name]

    def state_dict(self) -> dict[str, Any]:
        """The averages by the names of the losses."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from the averages of a state_dict."""
        self._sums, self._counts = dict(state["sums"]), dict(state["counts"])
