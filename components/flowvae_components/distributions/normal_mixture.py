"""Several normal distributions, one of which is drawn."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, constraints

from flowvae_components.distributions.diagonal_normal import DiagonalNormal
from flowvae_components.distributions.flow_distribution import NO_SHAPE, Shape


class NormalMixture(Distribution):
    """A weighted sum of the densities of normal distributions with independent dimensions.

    Formula: log p(z) = logsumexp over k of (log weight_k + log N(z; mean_k, scale_k)); a sample is
        mean_k + scale_k * noise, with k drawn by its weight: the largest of log weight_k - log e_k, where the e_k are
        exponential noise.
        The gradient of a sample is that of the component which was drawn: which one it is has none, so nothing
        should learn the weights from samples. log_prob has all gradients.
    Shapes: logits (k,), mean and scale (k, d); samples (*sample, d); log_prob without the last axis.
    Units: log_prob is in nats. `mode` is the mean of a component, the one where the mixture is densest; the highest point
        of a mixture has no formula.
    Source: torch.distributions.MixtureSameFamily; the draw is Gumbel's, Maddison et al. 2014, arxiv.org/abs/1411.0030.
    There is no closed form: `torch.distributions.kl_divergence` raises NotImplementedError.

    >>> NormalMixture(torch.zeros(2), torch.zeros(2, 3), torch.ones(2, 3)).log_prob(torch.zeros(5, 3)).shape
    torch.Size([5])
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    support = constraints.real_vector

    def __init__(
        self, logits: Float[Tensor, " k"], mean: Float[Tensor, "k d"], scale: Float[Tensor, "k d"]
    ) -> None:
        super().__init__(event_shape=mean.shape[-1:], validate_args=False)
        self.log_weights = torch.log_softmax(logits, dim=-1)
        self.mean_of_each, self.scale_of_each = mean, scale
        self.components = DiagonalNormal(mean, scale)

    @property
    def mode(self) -> Float[Tensor, " d"]:
        """The mean of the component where the mixture is densest."""
        return self._rows(self.mean_of_each, self.log_prob(self.mean_of_each).argmax())

    def rsample_and_log_prob(self) -> tuple[Float[Tensor, " d"], Float[Tensor, ""]]:
        """A sample, with the gradient of the component that was drawn, and the logarithm of its density."""
        latent = self._draw(NO_SHAPE)
        return latent, self.log_prob(latent)

    def sample(self, sample_shape: Shape = NO_SHAPE) -> Float[Tensor, "*n d"]:
        """Samples without gradient."""
        with torch.no_grad():
            return self._draw(sample_shape)

    def log_prob(self, value: Float[Tensor, "*n d"]) -> Float[Tensor, "*n"]:
        """The logarithm of the density at a vector."""
        of_each: Tensor = self.components.log_prob(value[..., None, :])  # type: ignore[no-untyped-call]  # torch's
        return torch.logsumexp(self.log_weights + of_each, dim=-1)

    def _draw(self, sample_shape: Shape) -> Tensor:
        # Not torch.multinomial, which reads back from a GPU whether the weights are valid.
        waits = self.log_weights.new_empty(*sample_shape, len(self.log_weights)).exponential_()
        drawn = (self.log_weights.detach() - waits.log()).argmax(-1)
        mean, scale = self._rows(self.mean_of_each, drawn), self._rows(self.scale_of_each, drawn)
        return mean + scale * torch.randn_like(mean)

    @staticmethod
    def _rows(table: Tensor, index: Tensor) -> Tensor:
        """table[index], which for an index without axes would be read back from the device."""
        return table.index_select(0, index.reshape(-1)).reshape(*index.shape, table.shape[-1])
