"""Small weights as one vector: what is done to all weights alike pays for an operator once, and not once a tensor."""

from collections.abc import Callable, Iterable, Sequence
from typing import Self

import torch
from attrs import frozen
from torch import Tensor, nn

from flowvae.training.state import fill

SMALL = 2**14
"""As many numbers are copied in the time that an operator takes to begin; what is longer is treated by itself."""
ROUNDING = 1e-6
"""What is added to a norm before it divides, as in torch's clip_grad_norm_."""


@frozen(eq=False)
class Gradients:
    """The gradients of weights; one that has none at a step stays without.

    >>> weights = [nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))]
    >>> for weight, gradient in zip(weights, (3.0, 4.0)):
    ...     weight.grad = torch.tensor([gradient])
    >>> Gradients.of(weights).clip(1.0), weights[0].grad
    (tensor(5.), tensor([0.6000]))
    """

    small: Sequence[nn.Parameter]
    large: Sequence[nn.Parameter]
    vector: Tensor
    """Where the gradients of the small ones are brought together."""
    parts: Sequence[Tensor]
    """What the vector holds of each."""

    @classmethod
    def of(cls, weights: Iterable[nn.Parameter]) -> Self:
        """Of those that ask for a gradient now, at every step from now on."""
        small, large = _by_size(weight for weight in weights if weight.requires_grad)
        vector = torch.zeros_like(_joined(small))
        return cls(small, large, vector, _parts(vector, small))

    def clip(self, limit: float | None) -> Tensor:
        """Shortens them together to a norm of at most `limit`, and gives the norm that they had."""
        found = [weight.grad for weight in self.small]
        whole = [torch.zeros_like(w) if g is None else g for w, g in zip(self.small, found, strict=True)]
        # By way of another vector: an optimizer may have left last step's gradients in this one, to be added to.
        self.vector.copy_(_joined(whole))
        gradients = [
            self.vector,
            *(gradient for weight in self.large if (gradient := weight.grad) is not None),
        ]
        norm: Tensor = nn.utils.get_total_norm(gradients)
        if limit is not None:
            torch._foreach_mul_(gradients, (limit / (norm + ROUNDING)).clamp(max=1.0))
            for weight, gradient, part in zip(self.small, found, self.parts, strict=True):
                weight.grad = None if gradient is None else part
        return norm


@frozen(eq=False)
class MovingAverage:
    """The averaged weights of a module, and those that they follow."""

    mine: Sequence[Tensor]
    """One vector of the small weights, and the large ones."""
    small: Sequence[Tensor]
    """The weights that the vector follows, in its order."""
    large: Sequence[Tensor]
    buffers: Sequence[tuple[nn.Module, nn.Module, str]]

    @classmethod
    def of(cls, average: nn.Module, model: nn.Module, follows: Callable[[str], bool]) -> Self:
        """Gives the small weights of the average their places in a vector; `follows` says of a name whether it moves."""
        places = dict(average.named_parameters())
        weights = {name: weight for name, weight in model.named_parameters() if follows(name)}
        small, large = _by_size(weights.values())
        place_of = {weight: places[name] for name, weight in weights.items()}
        mine = [place_of[weight] for weight in small]
        vector = _joined(mine)
        for weight, part in zip(mine, _parts(vector, mine), strict=True):
            weight.data = part
        # A buffer that is not saved is made of the recipe, and the same in both.
        kept = model.state_dict().keys()
        buffers = [
            (average.get_submodule(path), module, name)
            for path, module in model.named_modules()
            for name, _ in module.named_buffers(recurse=False)
            if f"{path}.{name}".removeprefix(".") in kept
        ]
        return cls([vector, *(place_of[weight] for weight in large)], small, large, buffers)

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Averaged = decay * averaged + (1 - decay) * followed, of every weight; buffers are copied."""
        torch._foreach_lerp_(list(self.mine), [_joined(self.small), *self.large], 1 - decay)
        for mine, theirs, name in self.buffers:
            fill(mine.get_buffer(name), theirs.get_buffer(name))


def _by_size(weights: Iterable[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The small ones, which go into one vector, and the others."""
    kinds = [(weight.numel() <= SMALL, weight.dtype, weight.device, weight) for weight in weights]
    first = next((kind[:3] for kind in kinds if kind[0]), None)
    return [kind[3] for kind in kinds if kind[:3] == first], [kind[3] for kind in kinds if kind[:3] != first]


@torch.no_grad()
def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors]) if tensors else torch.empty(0)


def _parts(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    parts = torch.split(vector, [tensor.numel() for tensor in like])
    return [part.view_as(tensor) for part, tensor in zip(parts, like, strict=True)]
