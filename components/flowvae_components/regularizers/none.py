"""No regularizer: the baseline of the kind."""

from jaxtyping import Float
from torch import Tensor

from flowvae.contracts import LatentDistribution


class NoRegularizer:
    """Leaves codes where they are: with a deterministic posterior, the model is a plain autoencoder.

    Formula: price = 0. Nothing moves the prior either: a learned one stays as it began.
    Shapes: latent (b, latent_dim), log_prob (b,) -> scalar.
    Units: none.
    Source: none; the case against which a regularizer is compared.

    >>> NoRegularizer().beta(7)
    0.0
    """

    needs_density: bool = False
    figure: str = ""

    def __call__(
        self,
        posterior: LatentDistribution,
        prior: LatentDistribution,
        latent: Float[Tensor, "b d"],
        log_prob: Float[Tensor, " b"],
    ) -> Float[Tensor, ""]:
        return latent.new_zeros(())

    def beta(self, step: int) -> float:
        """Nothing, at any step."""
        return 0.0
