"""A normal distribution seen through an invertible map."""

from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints

from flowvae_components.distributions.diagonal_normal import DiagonalNormal

Transform = Callable[[Tensor, Tensor | None], tuple[Tensor, Tensor]]
Shape = torch.Size | list[int] | tuple[int, ...]
NO_SHAPE = torch.Size()


class FlowDistribution(Distribution):
    """What a normal distribution becomes when a flow bends the space under it.

    Formula: z = push(u), u from the base, log p(z) = log base(pull(z)) + log|det d pull / d z|,
        where pull undoes push and both give (y, log_abs_det). A posterior pushes with the fast direction of
        its flow, for it needs samples; a prior pulls with it, for it needs densities.
    Shapes: base (*batch, d), context (*batch, h); samples (*sample, *batch, d); log_prob without the last axis.
    Units: log_prob is in nats. `mode` is the image of the base's mode: the vector to decode when nothing may be
        random, not the highest point of the bent density.
    Source: Rezende and Mohamed 2015, arxiv.org/abs/1505.05770.
    There is no closed form: `torch.distributions.kl_divergence` raises NotImplementedError.

    >>> base = DiagonalNormal(torch.zeros(2), torch.ones(2))
    >>> twice = FlowDistribution(
    ...     base,
    ...     push=lambda u, context: (2 * u, torch.full_like(u[:, 0], 2.0).log() * 2),
    ...     pull=lambda z, context: (z / 2, torch.full_like(z[:, 0], 0.5).log() * 2),
    ... )
    >>> wide = DiagonalNormal(torch.zeros(2), torch.full((2,), 2.0))
    >>> bool(torch.isclose(twice.log_prob(torch.ones(2)), wide.log_prob(torch.ones(2))))
    True
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        base: DiagonalNormal,
        push: Transform,
        pull: Transform,
        context: Float[Tensor, "*s h"] | None = None,
    ) -> None:
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)
        self.base, self.push, self.pull, self.context = base, push, pull, context

    @property
    def mode(self) -> Float[Tensor, "*s d"]:
        """The image of the base's mode."""
        return self._through(self.push, self.base.mode)[0]

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, "*s d"], Float[Tensor, "*s"]]:
        """A sample with gradient, and the logarithm of its density."""
        start, log_prob = self.base.rsample_and_log_prob()
        latent, log_abs_det = self._through(self.push, start)
        # Minus: where the map spreads the samples out, their density falls.
        return latent, log_prob - log_abs_det

    def rsample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """Samples with gradient."""
        return self._through(self.push, self.base.rsample(torch.Size(sample_shape)))[0]

    def log_prob(self, value: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
        """The logarithm of the density at a vector."""
        start, log_abs_det = self._through(self.pull, value)
        log_prob: Tensor = self.base.log_prob(start)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return log_prob + log_abs_det

    def _through(self, transform: Transform, x: Tensor) -> tuple[Tensor, Tensor]:
        """A flow takes (b, d): every other axis is laid along b, and the context is repeated for it."""
        rows = x.reshape(-1, x.shape[-1])
        context = self.context
        if context is not None:
            context = context.expand(*x.shape[:-1], -1).reshape(len(rows), -1)
        y, log_abs_det = transform(rows, context)
        return y.reshape(x.shape), log_abs_det.reshape(x.shape[:-1])
