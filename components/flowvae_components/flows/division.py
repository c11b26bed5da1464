"""A vector in two parts."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Division(nn.Module):
    """Parts the dimensions of a vector, and joins them again in the order that they had.

    Formula: apart(x) = (x over `some`, x over the rest), together its inverse; each part keeps the order of x.
    Shapes: (b, features) -> (b, len(some)) and (b, features - len(some)), and back.
    Units: none.
    Source: the masks of Dinh, Sohl-Dickstein and Bengio 2017, arxiv.org/abs/1605.08803.

    >>> division = Division(4, (1, 3))
    >>> parts = division.apart(torch.tensor([[0.0, 1.0, 2.0, 3.0]]))
    >>> [part.tolist() for part in parts], division.together(parts).tolist()
    ([[[1.0, 3.0]], [[0.0, 2.0]]], [[0.0, 1.0, 2.0, 3.0]])
    """

    order: Tensor
    back: Tensor

    def __init__(self, features: int, some: tuple[int, ...]) -> None:
        super().__init__()
        rest = [dimension for dimension in range(features) if dimension not in some]
        self.sizes = [len(some), len(rest)]
        order = torch.tensor((*some, *rest))
        # No state: both follow from the sizes.
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("back", order.argsort(), persistent=False)

    def apart(self, x: Float[Tensor, "b d"]) -> list[Float[Tensor, "b _"]]:
        """The dimensions of `some`, and the others."""
        return list(torch.split(self._permuted(x, self.order, self.back), self.sizes, dim=1))

    def together(self, parts: list[Float[Tensor, "b _"]]) -> Float[Tensor, "b d"]:
        """The vector that came apart."""
        return self._permuted(torch.cat(parts, dim=1), self.back, self.order)

    def _permuted(self, x: Tensor, order: Tensor, back: Tensor) -> Tensor:
        permuted: Tensor = _Permuted.apply(x, order, back)  # type: ignore[no-untyped-call]  # torch leaves apply untyped
        return permuted


class _Permuted(torch.autograd.Function):
    """x[:, order], whose gradient is g[:, back]: autograd adds it into zeros, for it cannot know that none meet."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return x.index_select(1, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        (back,) = ctx.saved_tensors
        return gradient.index_select(1, back), None, None
