"""A prior that is made of the model's own posteriors."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from flowvae.contracts import LatentDistribution, Refused
from flowvae_components.distributions.posterior_mixture import PosteriorMixture

LEVEL = 0.1
"""The root mean square of pseudo-inputs before training: -20 dB of full scale, about that of a drum with its decay."""


class VampPrior(nn.Module):
    """A mixture of the posteriors of sounds that nobody recorded: the pseudo-inputs, which are learned.

    Formula: log p(z) = logsumexp over k of log q(z|u_k) - log n_pseudo_inputs, u_k the pseudo-inputs, 0.1 * noise before
        training. The best prior of all is the mean of the posteriors of all sounds; this is one of a few that stand for them.
        Gradients flow into the pseudo-inputs, and through them into encoder and posterior, which it borrows: it has no weights
        but the pseudo-inputs. There is no closed form of its KL, which is estimated at the sample that is decoded.
        Each call encodes all pseudo-inputs: a step costs as many sounds more through the encoder. A flow posterior
        costs its inverse, besides, at each latent vector for each pseudo-input.
        A posterior without a density, as `deterministic`, cannot go with it.
    Shapes: no input -> distribution with batch shape () and event shape (latent_dim,).
    Units: pseudo-inputs are audio, and not held within full scale; log-probabilities are in nats.
    Parameters:
        n_pseudo_inputs: how many posteriors the mixture has, at least 1. The paper takes 500 for images of 784 pixels.
    Source: Tomczak and Welling 2018, arxiv.org/abs/1705.07120.

    >>> from flowvae_components.distributions.diagonal_normal import DiagonalNormal
    >>> def encode(audio):
    ...     return DiagonalNormal(audio[:, 0, :3], torch.ones(len(audio), 3))
    >>> VampPrior(encode, 1, 16)().sample(torch.Size((5,))).shape
    torch.Size([5, 3])
    """

    needs_density: bool = True

    def __init__(
        self,
        encode: Callable[[Tensor], LatentDistribution],
        channels: int,
        n_samples: int,
        *,
        n_pseudo_inputs: int = 32,
    ) -> None:
        super().__init__()
        if n_pseudo_inputs < 1:
            raise Refused("n_pseudo_inputs", f"n_pseudo_inputs must be at least 1, got {n_pseudo_inputs}")
        self.pseudo_inputs = nn.Parameter(LEVEL * torch.randn(n_pseudo_inputs, channels, n_samples))
        # The model's method, which is no module: its weights stay the model's, and in a copy of the model it is the copy's.
        self.encode = encode

    def forward(self) -> PosteriorMixture:
        return PosteriorMixture(self.encode(self.pseudo_inputs))
