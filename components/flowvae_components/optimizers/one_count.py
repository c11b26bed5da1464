"""Adam whose weights count their steps together."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class OneCountAdamW(torch.optim.AdamW):
    """torch's AdamW in its fused form, with one count of steps for all weights that have moved together.

    Formula: as adamw.
    Shapes: any; each weight keeps `step`, a scalar, `exp_avg` and `exp_avg_sq`, as in torch.
    Units: lr is per step.
    Source: Loshchilov and Hutter 2019, arxiv.org/abs/1711.05101. torch has a count for each weight and adds 1 to each of
        them: on a CPU that takes longer than the steps of a small model.

    >>> weight = nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.tensor([0.5, -0.5])
    >>> OneCountAdamW([weight], lr=0.1, weight_decay=0.0, fused=True).step()
    >>> weight.data
    tensor([0.9000, 1.1000])
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Moves every weight that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        counted: dict[Tensor, Tensor] = {}
        for group in self.param_groups:
            for count, weights in self._by_count(group["params"]).items():
                if count not in counted:
                    # Not in place: a weight without a gradient at this step keeps the count that it shared.
                    counted[count] = count + 1
                self._move(weights, counted[count], group)
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes a state up; equal counts become one again."""
        super().load_state_dict(state_dict)
        one_of: dict[float, Tensor] = {}
        for kept in self.state.values():
            kept["step"] = one_of.setdefault(float(kept["step"]), kept["step"])

    def _by_count(self, weights: list[nn.Parameter]) -> dict[Tensor, list[nn.Parameter]]:
        """Those that have a gradient; one without a state begins to count."""
        found: defaultdict[Tensor, list[nn.Parameter]] = defaultdict(list)
        begun: dict[torch.device, Tensor] = {}
        for weight in weights:
            if weight.grad is None:
                continue
            kept = self.state[weight]
            if not kept:
                if weight.device not in begun:
                    begun[weight.device] = torch.zeros((), device=weight.device)
                kept["step"] = begun[weight.device]
                kept["exp_avg"], kept["exp_avg_sq"] = torch.zeros_like(weight), torch.zeros_like(weight)
            found[kept["step"]].append(weight)
        return found

    def _move(self, weights: list[nn.Parameter], count: Tensor, group: dict[str, Any]) -> None:
        states = [self.state[weight] for weight in weights]
        for kept in states:
            kept["step"] = count
        beta1, beta2 = group["betas"]
        torch._fused_adamw_(
            [*weights],
            [weight.grad for weight in weights if weight.grad is not None],
            [kept["exp_avg"] for kept in states],
            [kept["exp_avg_sq"] for kept in states],
            [],
            [count] * len(weights),
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
