"""What a code on a sphere is drawn from."""

from torch import Tensor, nn

from flowvae_components.distributions.sphere import UniformSphere, pole


class SphericalPrior(nn.Module):
    """Every direction with the same probability: the prior beside a spherical posterior, of the same radius.

    Formula: z = radius * u / |u|, u normal noise. It gives samples and no density, so nothing that prices a divergence can go
        with it. Its mode is the point whose coordinates are all the same.
    Shapes: no input -> distribution with batch shape () and event shape (latent_dim,).
    Units: the radius is in units of the latent vector.
    Parameters:
        radius: that of the sphere, above 0; none: sqrt(latent_dim), at which each coordinate has a variance of 1.
    Source: Muller 1959, doi.org/10.1145/377939.377946; as a prior, Davidson et al. 2018, arxiv.org/abs/1804.00891.

    >>> import torch
    >>> codes = SphericalPrior(4)().sample(torch.Size((5,)))
    >>> bool(torch.allclose(codes.norm(dim=-1), torch.tensor(2.0)))
    True
    """

    has_density: bool = False
    pole: Tensor

    def __init__(self, latent_dim: int, *, radius: float | None = None) -> None:
        super().__init__()
        # A buffer, so that the distribution follows the module to its device; nothing to save in it.
        self.register_buffer("pole", pole(latent_dim, radius), persistent=False)

    def forward(self) -> UniformSphere:
        return UniformSphere(self.pole)
