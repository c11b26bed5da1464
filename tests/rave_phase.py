"""The second phase of RAVE with its own networks: by its own training step, and by a step of ours."""

from types import SimpleNamespace

import torch
from torch import nn

from flowvae.building.model import SoundVAE
from flowvae.building.second_player import SecondPlayer
from flowvae.building.shared_stft import SharedStft
from flowvae.recipe.tables import AdversarialKeys
from flowvae.training.phases import MODEL, OPTIMIZER, SECOND_OPTIMIZER, phases_of
from flowvae.training.state import TrainingState
from flowvae.training.training import Training
from flowvae_components.adversarial_losses.hinge import Hinge
from flowvae_components.feature_matchings.relative_l1 import RelativeL1
from rave_network import BETA, UPDATES, published


def twins(config):
    """RAVE of one of its own configurations, in its original sizes, twice with the same weights."""
    one, other = published(config), published(config)
    other.load_state_dict(one.state_dict())
    return one, other


class Bank(nn.Module):
    """Its filter bank, as our model asks for one."""

    def __init__(self, pqmf):
        super().__init__()
        self.pqmf, self.n_bands = pqmf, pqmf.n_band

    def analysis(self, audio):
        return self.pqmf(audio)

    def synthesis(self, bands):
        return self.pqmf.inverse(bands)


class Posterior(nn.Module):
    """The normal distribution of its `reparametrize`, drawn as it draws."""

    def forward(self, features):
        return Normal(*features.chunk(2, 1))


class Normal:
    def __init__(self, mean, scale):
        self.mean, self.std = mean, nn.functional.softplus(scale) + 1e-4

    def rsample_and_log_prob(self):
        return torch.randn_like(self.mean) * self.std + self.mean, None


class Divergence:
    """Its regularization, twice the nats."""

    def __call__(self, posterior, prior, latent, log_prob):
        mean, variance = posterior.mean, posterior.std**2
        return (mean**2 + variance - variance.log() - 1).sum(1).mean()

    def beta(self, step):
        return BETA


class Distance(nn.Module):
    """One of its distances, over bands where there is a bank."""

    def __init__(self, distance, pqmf=None):
        super().__init__()
        self.distance, self.pqmf = distance, pqmf

    def forward(self, target, estimate):
        if self.pqmf is not None:
            target, estimate = self.pqmf(target), self.pqmf(estimate)
        return sum(self.distance(target, estimate).values())


class Judges(nn.Module):
    """Its discriminators: the last that each of them says are the logits, which it counts among the features."""

    def __init__(self, discriminator, skipped):
        super().__init__()
        self.discriminator, self.skipped = discriminator, skipped

    def forward(self, audio, stream):
        return [(said[-1], said[self.skipped :]) for said in self.discriminator(audio)]


def ours(rave, batch, discriminator_every=UPDATES):
    """A training of ours over its networks, with its losses, weights and optimizers; every batch is this one."""
    distances = {
        "fullband": (rave.audio_distance, None, rave.weights["audio_distance"]),
        "multiband": (rave.multiband_audio_distance, rave.pqmf, rave.weights["multiband_audio_distance"]),
    }
    losses = {
        name: Distance(distance, pqmf) for name, (distance, pqmf, weight) in distances.items() if weight
    }
    model = _model(rave, batch)
    player = _second_player(rave, batch, discriminator_every)
    parts = SimpleNamespace(
        recipe=SimpleNamespace(
            train=SimpleNamespace(clip=None, ema=None, precision="fp32"),
            losses={name: SimpleNamespace(extras={"weight": distances[name][2]}) for name in losses},
        ),
        device=batch.device,
        model=model,
        average=model,
        losses=losses,
        regularizer=Divergence(),
        stft=SharedStft(),
        schedule=lambda _: 1.0,
        second_player=player,
        prior_fit=None,
    )
    optimizers = {
        OPTIMIZER: torch.optim.Adam(model.parameters(), 1e-3, (0.5, 0.9)),
        SECOND_OPTIMIZER: player.optimizer,
    }
    return Training(
        parts=parts,
        seed=0,
        batches=lambda _: batch,
        phases=phases_of(parts, 0, batch.device),
        state=TrainingState({MODEL: model, **player.modules}, optimizers),
        peak_lr={name: [group["lr"] for group in o.param_groups] for name, o in optimizers.items()},
    )


def _model(rave, batch):
    rave.decoder.periods = rave.encoder.encoder.features = ()  # told to others, and not needed here
    parts = {
        "bands": Bank(rave.pqmf),
        "encoder": rave.encoder.encoder,
        "posterior": Posterior(),
        "prior": nn.Identity(),
        "decoder": rave.decoder,
    }
    parts["prior"].forward = lambda: None
    section = SimpleNamespace(
        channels=batch.shape[1], n_samples=batch.shape[2], latent_dim=rave.latent_size, **parts
    )
    return SoundVAE(section, SimpleNamespace(build=lambda part, _path, **_given: part))


def _second_player(rave, batch, discriminator_every):
    judges = Judges(rave.discriminator, rave.num_skipped_features)
    with torch.no_grad():
        n_judges = len(judges(batch, None))
    keys = AdversarialKeys(
        discriminators={},
        optimizer=None,
        schedule=None,
        # The bank is no part of the model that learns: RAVE gives it to no optimizer, and finds its gradient none the less.
        freeze=("model.encoder", "model.bands"),
        weight=rave.weights["adversarial"],
        # It weighs what is weighed, and adds up what the discriminators say, but takes the mean of their features.
        feature_matching=SimpleNamespace(
            extras={"weight": rave.weights["feature_matching"] ** 2 / n_judges},
        ),
        over_discriminators="sum",
        discriminator_every=discriminator_every,
    )
    return SecondPlayer(
        keys=keys,
        losses=Hinge(),
        discriminators={"judges": judges},
        feature_matching=RelativeL1(),
        conditioning=None,
        balance=None,
        optimizer=torch.optim.Adam(judges.parameters(), 1e-4, (0.5, 0.9)),
        schedule=lambda _: 1.0,
    )
