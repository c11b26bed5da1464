"""A toy: a model that can only add a hum, losses that do not hear it, and discriminators that do."""

import pytest
import torch
from torch import nn

from flowvae.building.model import Reconstruction
from flowvae.training.objective import Pass
from pretend import catalogue_with, offering, plugin
from short_runs import training_of

N_FFT = 512
BIN = 3
"""Of the hum: in the middle of a bin, a Hann window shows it there and in the two bins beside, and nowhere else."""
LEVEL = 0.2


class Treble(nn.Module):
    """A spectral loss above the hum."""

    def __init__(self, stft) -> None:
        super().__init__()
        self.stft = stft

    def forward(self, target, estimate):
        real, made = (self.stft(audio, N_FFT, 128).abs()[:, BIN + 5 :, 4:-4] for audio in (target, estimate))
        return (real - made).abs().mean()


class Hummer(nn.Module):
    """Gives back what it hears, with a hum over it whose level is all that it can learn."""

    def __init__(self, model) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(LEVEL))
        self.lent = [model]  # in a list, so that its weights are not this module's

    def prior(self):
        return self.lent[0].prior()

    def forward(self, audio):
        hum = torch.sin(2 * torch.pi * BIN / N_FFT * torch.arange(audio.shape[-1]))
        posterior = self.lent[0].encode(audio)
        latent, log_prob = posterior.rsample_and_log_prob()
        return Reconstruction(audio + self.level * hum, latent.detach(), log_prob.detach(), posterior)


@pytest.fixture
def level_after(tiny, tmp_path):
    catalogue = catalogue_with(plugin("fv-toy", flowvae_components=offering(("loss", "treble", Treble))))

    def level_after(n_steps, *more):
        losses = ('losses=["treble"]', "train.ema=none", "train.steps=200")
        training = training_of((*tiny, *losses, *more), catalogue)
        toy = Hummer(training.model)
        training.state.modules["model"] = toy
        # Without momentum and without scaling by the gradient: where a loss hears nothing, nothing moves.
        training.state.optimizers["optimizer"] = torch.optim.SGD(toy.parameters(), lr=0.05)
        training.peak_lr["optimizer"] = [0.05]
        phase = training.phases[-1]
        training._enter(phase)
        for step in range(n_steps):
            batch = Pass(toy, training.batches(step), step)
            for turn in phase.turns:
                training._take(turn, batch)
            training.parts.stft.forget()
        return float(toy.level.detach())

    return level_after


SECOND = (
    'adversarial={ use = "hinge", discriminators = ["judge"], optimizer = "adamw", schedule = "constant" }',
    "adversarial.optimizer.lr=3e-3",
    "train.schedule=constant",
    'may_be_unused=["defaults.schedule"]',
)
JUDGES = (
    '{ use = "multi_period", width = 2, periods = [5] }',
    '{ use = "multi_resolution", width = 2, n_ffts = [512], band_edges = [0.0, 0.1, 1.0] }',
)


def test_the_losses_leave_the_hum(level_after):
    assert level_after(40) == pytest.approx(LEVEL, abs=0.01 * LEVEL)


@pytest.mark.parametrize("judge", JUDGES)
def test_discriminators_take_it_away(level_after, judge):
    second = [setting.replace('["judge"]', f"{{ judge = {judge} }}") for setting in SECOND]
    assert abs(level_after(40, *second)) < 0.3 * LEVEL
