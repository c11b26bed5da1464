"""A sphere around the origin: how to get there, and what is the same everywhere on it."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints
from torch.linalg import vector_norm

from flowvae.contracts import Refused
from flowvae_components.distributions.flow_distribution import NO_SHAPE, Shape

SHORTEST = 1e-4
"""A vector shorter than this has no direction: divided by its norm, it would turn round at the next step, with a gradient
of 10,000."""


def pole(latent_dim: int, radius: float | None) -> Tensor:
    """The point of a sphere whose coordinates are all the same; they are 1 where no radius is given.

    Without a radius it is sqrt(latent_dim): then a coordinate of points from all over the sphere has variance 1.

    >>> pole(4, 1.0)
    tensor([0.5000, 0.5000, 0.5000, 0.5000])
    """
    if radius is not None and radius <= 0:
        raise Refused("radius", f"radius must be above 0, got {radius}")
    return torch.full((latent_dim,), 1.0 if radius is None else radius / latent_dim**0.5)


def on_sphere(x: Float[Tensor, "*s d"], at: Float[Tensor, " d"]) -> Float[Tensor, "*s d"]:
    """The point of a sphere in the direction of a vector; `at` is any point of it, and stands for a vector without one.

    >>> on_sphere(torch.tensor([[0.0, -3.0], [0.0, 0.0]]), pole(2, 1.0))
    tensor([[ 0.0000, -1.0000],
            [ 0.7071,  0.7071]])
    """
    square = x.square().sum(-1, keepdim=True)
    x = torch.where(square > SHORTEST**2, x, at)
    norm: Tensor = vector_norm(x, dim=-1, keepdim=True)
    point: Tensor = x / norm * vector_norm(at)
    return point


class UniformSphere(Distribution):
    """Every point of a sphere around the origin with the same probability.

    Formula: z = radius * u / |u|, u normal noise. The sphere has no volume, and so z no density: it is NaN.
    Shapes: pole (d,); samples (*sample, d); log_prob without the last axis.
    Units: the radius, the norm of `pole`, is in units of the latent vector. No point is likelier than another: `mode` is the
        pole.
    Source: Muller 1959, doi.org/10.1145/377939.377946.
    There is no closed form: `torch.distributions.kl_divergence` raises NotImplementedError.

    >>> UniformSphere(pole(3, None)).sample(torch.Size((5,))).shape
    torch.Size([5, 3])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector

    def __init__(self, pole: Float[Tensor, " d"]) -> None:
        super().__init__(event_shape=pole.shape, validate_args=False)
        self.pole = pole

    @property
    def mode(self) -> Float[Tensor, " d"]:
        """The pole."""
        return self.pole

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, " d"], Float[Tensor, ""]]:
        """A sample, and NaN."""
        latent = self.sample()
        return latent, self.log_prob(latent)

    def sample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """Points from all over the sphere."""
        noise = torch.randn(*sample_shape, *self.pole.shape, dtype=self.pole.dtype, device=self.pole.device)
        return on_sphere(noise, self.pole)

    def log_prob(self, value: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
        """NaN for every vector."""
        return torch.full_like(value[..., 0], torch.nan)
