"""The model: bands, encoder, posterior, decoder, and the prior beside them."""

import torch
from attrs import frozen
from torch import Tensor, nn
from torch.nn import functional

from flowvae.building.builder import Builder
from flowvae.contracts import LatentDistribution
from flowvae.recipe.tables import ModelSection
from flowvae.streams import torch_seeded, turn_to


@frozen(eq=False)
class Reconstruction:
    """What came of a batch of sounds."""

    estimate: Tensor
    """(b, c, n_samples)."""
    latent: Tensor
    """(b, latent_dim)."""
    log_prob: Tensor
    """The posterior's density at the latent vectors, (b,)."""
    posterior: LatentDistribution


class SoundVAE(nn.Module):
    """A variational autoencoder of sounds of fixed length: one latent vector a sound."""

    def __init__(self, section: ModelSection, build: Builder, *, bf16: bool = False) -> None:
        super().__init__()
        self.bf16 = bf16
        channels, self.n_samples = section.channels, section.n_samples
        self.bands = build.build(section.bands, "model.bands")
        n_bands = self.bands.n_bands
        # A clip that the bank cannot split evenly is padded at its end, and cut again on the way out.
        self.padding = -self.n_samples % n_bands
        inner = (self.n_samples + self.padding) // n_bands
        self.encoder = build.build(
            section.encoder, "model.encoder", channels=channels * n_bands, n_samples=inner
        )
        self.posterior = build.build(
            section.posterior,
            "model.posterior",
            features=self.encoder.features,
            latent_dim=section.latent_dim,
        )
        self.prior = build.build(
            section.prior,
            "model.prior",
            latent_dim=section.latent_dim,
            encode=self.encode,
            channels=channels,
            n_samples=self.n_samples,
        )
        self.decoder = build.build(
            section.decoder,
            "model.decoder",
            latent_dim=section.latent_dim,
            channels=channels * n_bands,
            n_samples=inner,
        )
        own = tuple(period * n_bands for period in self.decoder.periods)
        # A mean in a sub-band is a tone at a multiple of half the band's width.
        self.periods = own + ((2 * n_bands,) if n_bands > 1 else ())

    def encode(self, audio: Tensor) -> LatentDistribution:
        """(b, c, n_samples) to a distribution over (b, latent_dim)."""
        bands = self.bands.analysis(functional.pad(audio, (0, self.padding)))
        with torch.autocast(audio.device.type, torch.bfloat16, enabled=self.bf16):
            features = self.encoder(bands)
        distribution: LatentDistribution = self.posterior(features.float())
        return distribution

    def decode(self, latent: Tensor) -> Tensor:
        """(b, latent_dim) to (b, c, n_samples). Of what a decoder draws, a trained one draws the same each time."""
        if self.training:
            return self._decoded(latent)
        with torch_seeded(0, "decoder"):
            return self._decoded(latent)

    def _decoded(self, latent: Tensor) -> Tensor:
        # Only encoder and decoder gain from bf16; bands, densities and losses need all their digits.
        with torch.autocast(latent.device.type, torch.bfloat16, enabled=self.bf16):
            bands = self.decoder(latent)
        audio: Tensor = self.bands.synthesis(bands.float())
        return audio[..., : self.n_samples]

    def forward(self, audio: Tensor) -> Reconstruction:
        """Encodes, samples once, decodes."""
        posterior = self.encode(audio)
        latent, log_prob = posterior.rsample_and_log_prob()
        turn_to("decoder")
        return Reconstruction(self.decode(latent), latent, log_prob, posterior)
