"""What a prior minimises that is fitted after the fact."""

import torch
from attrs import frozen
from torch import Tensor

from flowvae.building.model import SoundVAE
from flowvae.training.objective import Pass


@frozen(eq=False)
class PriorLikelihood:
    """Give the codes of sounds a high density.

    Formula: loss = mean over the batch of -log p(z) / latent_dim, z drawn from the posterior of each sound. The codes are those
        of the averaged weights, which are what is evaluated and what the prior will be sampled for.
    """

    coder: SoundVAE
    model: SoundVAE

    def __call__(self, batch: Pass) -> dict[str, Tensor]:
        """The figures of one batch."""
        with torch.no_grad():
            latent, _ = self.coder.encode(batch.target).rsample_and_log_prob()
        nats = -self.model.prior().log_prob(latent).mean()
        return {"loss": nats / latent.shape[1], "prior_nats": nats}
