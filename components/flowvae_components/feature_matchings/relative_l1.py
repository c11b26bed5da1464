"""The mean absolute difference of features, relative to their size."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import Refused


class RelativeL1:
    """Gives every layer of a discriminator the same say, whatever the size of its features.

    Formula: mean over the features of mean |real - estimate| / max(mean |real|, floor), of one sub-discriminator,
        with the means over the batch. The real features are detached: only the estimate is drawn.
        Without the floor a batch of silence divides 0 by 0 where the layers have no bias. Above it the distance
        is invariant: features ten times as large cost the same.
    Shapes: two lists of as many features, each (b, ...) -> scalar.
    Units: a ratio; 1 where the estimate moves nothing.
    Parameters:
        floor: the size of a layer's real features below which they are weighed as if they had it. In a new
            discriminator, drums move the deepest layer by 2e-4 without biases and by 5e-3 with them.
    Source: RAVE's second version, rave/core.py (mean_difference with relative=True), which has no floor;
        Caillon and Esling 2021, arxiv.org/abs/2111.05011.

    >>> loud, louder = [torch.full((2, 4, 9), 3.0)], [torch.full((2, 4, 9), 3.3)]
    >>> RelativeL1()(loud, louder)
    tensor(0.1000)
    """

    def __init__(self, *, floor: float = 1e-5) -> None:
        if floor <= 0:
            raise Refused("floor", f"floor must be above 0, got {floor}")
        self.floor = floor

    def __call__(
        self, real: Sequence[Float[Tensor, "b ..."]], estimate: Sequence[Float[Tensor, "b ..."]]
    ) -> Float[Tensor, ""]:
        if not real:
            raise ValueError("there are no features to match: the discriminator gives none")
        ratios = [self._ratio(r.detach(), e) for r, e in zip(real, estimate, strict=True)]
        return torch.stack(ratios).mean()

    def _ratio(self, real: Tensor, estimate: Tensor) -> Tensor:
        # Summed in float32 at least: a mean in half precision would keep three digits.
        wide = torch.promote_types(estimate.dtype, torch.float32)
        size = real.abs().mean(dtype=wide).clamp_min(self.floor)
        return (real - estimate).abs().mean(dtype=wide) / size
