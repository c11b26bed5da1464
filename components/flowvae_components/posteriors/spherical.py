"""A posterior that leaves only the direction of a code."""

from jaxtyping import Float
from torch import Tensor, nn

from flowvae_components.distributions.location import Location
from flowvae_components.distributions.point import Point
from flowvae_components.distributions.sphere import on_sphere, pole


class SphericalPosterior(nn.Module):
    """One latent vector for a sound, without noise, on a sphere around the origin.

    Formula: z = radius * y / |y|, y = W h / rms(h) + b. No code can run away from the others, so it needs no price, and goes
        with the prior `spherical`, of the same radius. A vector y shorter than 1e-4 has no direction, and no gradient: its
        code is the point whose coordinates are all the same. Between two codes the way leads through the ball, not along
        the sphere.
    Shapes: (b, features) -> distribution with batch shape (b,) and event shape (latent_dim,).
    Units: the radius is in units of the latent vector.
    Parameters:
        radius: that of the sphere, above 0; none: sqrt(latent_dim), at which each coordinate of codes from all over the
            sphere has a variance of 1, as those of a standard normal distribution have. RAVE's is 1.
    Source: the spherical bottleneck of RAVE, Caillon and Esling 2021, arxiv.org/abs/2111.05011, in its published code.

    >>> import torch
    >>> code = SphericalPosterior(8, 4)(torch.randn(5, 8)).mode
    >>> bool(torch.allclose(code.norm(dim=-1), torch.tensor(2.0)))
    True
    """

    has_density: bool = False
    at: Tensor

    def __init__(self, features: int, latent_dim: int, *, radius: float | None = None) -> None:
        super().__init__()
        self.location = Location(features, latent_dim)
        self.register_buffer("at", pole(latent_dim, radius), persistent=False)

    def forward(self, features: Float[Tensor, "b h"]) -> Point:
        return Point(on_sphere(self.location(features), self.at))
