"""What is gathered for an evaluation only where one of its metrics reads it."""

from collections.abc import Callable, Collection, Mapping

import torch
from attrs import frozen
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from flowvae.building.model import SoundVAE
from flowvae.contracts import LatentDistribution
from flowvae.processes.signs import sign
from flowvae.streams import torch_seeded


@frozen(eq=False)
class OnDemand:
    """A model with held-out sounds, batch by batch, and their codes; each method makes one field of the evidence."""

    model: SoundVAE
    parts: tuple[Tensor, ...]
    codes: Tensor

    def gather(self, reads: Collection[str]) -> dict[str, Tensor]:
        """The fields among `reads` that are made here.

        Each has a random stream of its own: what one metric reads moves no figure of another.
        """
        found = {}
        for name, made in FIELDS.items():
            if name in reads:
                sign()
                with torch_seeded(0, "evaluation", name):
                    found[name] = made(self)
        return found

    def latents(self) -> Tensor:
        """One sample of each posterior."""
        return torch.cat([self.model.encode(part).sample(torch.Size()) for part in self.parts])

    def prior_latents(self) -> Tensor:
        """As many samples of the prior as there are sounds."""
        drawn: Tensor = self.model.prior().sample(torch.Size([len(self.codes)]))
        return drawn

    def kl_by_dimension(self) -> Tensor:
        """Nats of each sound and dimension, NaN where dimensions are not independent."""
        prior = _dimensions(self.model.prior())
        posteriors = [_dimensions(self.model.encode(part)) for part in self.parts]
        if prior is None or None in posteriors:
            return torch.full_like(self.codes, torch.nan)
        return torch.cat([kl_divergence(posterior, prior) for posterior in posteriors if posterior])

    def round_trips(self) -> Tensor:
        """The codes after one and after three times decode and encode."""
        turns = [self.codes]
        for _ in range(3):
            batches = torch.split(turns[-1], len(self.parts[0]))
            turns.append(torch.cat([self.model.encode(self.model.decode(code)).mode for code in batches]))
        return torch.stack([turns[1], turns[3]])

    def silence(self) -> Tensor:
        """The reconstruction of a silent clip."""
        return self.model.decode(self.model.encode(torch.zeros_like(self.parts[0][:1])).mode)


FIELDS: Mapping[str, Callable[[OnDemand], Tensor]] = {
    "latents": OnDemand.latents,
    "prior_latents": OnDemand.prior_latents,
    "kl_by_dimension": OnDemand.kl_by_dimension,
    "round_trips": OnDemand.round_trips,
    "silence": OnDemand.silence,
}


def _dimensions(distribution: LatentDistribution) -> Normal | None:
    """The dimensions as normal distributions of their own, where they are."""
    if not isinstance(distribution, Independent):
        return None
    return distribution.base_dist if isinstance(distribution.base_dist, Normal) else None
