"""A step of the Descript codec in its published sizes, without its quantizer: by its own losses, in the order of its training script.

What its script computes only to show it, a spectral and a waveform distance without a weight, is left out.
"""

import torch
from attrs import define
from torch import nn

from peer_packages import imported

RATE = 44100
N_FFTS = [32, 64, 128, 256, 512, 1024, 2048]
N_MELS = [5, 10, 20, 40, 80, 160, 320]


def mel_loss():
    """Its distance, with the values of its base configuration."""
    loss = imported("dac", "nn.loss").loss
    edges = {"mel_fmin": [0.0] * len(N_FFTS), "mel_fmax": [None] * len(N_FFTS)}
    return loss.MelSpectrogramLoss(n_mels=N_MELS, window_lengths=N_FFTS, pow=1.0, mag_weight=0.0, **edges)


@define(eq=False)
class Codec:
    """Both players with their optimizers, and the losses."""

    encoder: nn.Module
    decoder: nn.Module
    discriminator: nn.Module
    optimizers: list
    mel: nn.Module
    adversarial: nn.Module

    @classmethod
    def published(cls):
        dac = imported("dac", "model.dac", "model.discriminator", "nn.loss")
        encoder, decoder = dac.dac.Encoder(64, [2, 4, 8, 8], 1024), dac.dac.Decoder(1024, 1536, [8, 8, 4, 2])
        discriminator = dac.discriminator.Discriminator(rates=[])
        model = [*encoder.parameters(), *decoder.parameters()]
        optimizers = [
            torch.optim.AdamW(weights, 1e-4, betas=(0.8, 0.99))
            for weights in (model, discriminator.parameters())
        ]
        adversarial = dac.loss.GANLoss(discriminator)
        return cls(encoder, decoder, discriminator, optimizers, mel_loss(), adversarial)

    def reconstruct(self, batch):
        """The model alone."""
        estimate, target = self._signals(batch)
        self._move(0, 15.0 * self.mel(estimate, target), 1e3)

    def step(self, batch):
        """Both players."""
        estimate, target = self._signals(batch)
        self._move(1, self.adversarial.discriminator_loss(estimate, target), 10.0)
        adversarial, features = self.adversarial.generator_loss(estimate, target)
        self._move(0, 15.0 * self.mel(estimate, target) + 2.0 * features + adversarial, 1e3)

    def _signals(self, batch):
        from audiotools import AudioSignal

        return AudioSignal(self.decoder(self.encoder(batch)), RATE), AudioSignal(batch.clone(), RATE)

    def _move(self, player, loss, longest):
        optimizer = self.optimizers[player]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([w for group in optimizer.param_groups for w in group["params"]], longest)
        optimizer.step()
