"""What both sides of a comparison hear, and our trainings on it."""

import torch

from flowvae.catalogue import Catalogue
from short_runs import training_of


def decaying_noise(n_sounds, n_samples, seed=1):
    """Sounds that are the same every time."""
    decay = torch.exp(-torch.arange(n_samples) / 2000)
    noise = torch.randn((n_sounds, 1, n_samples), generator=torch.Generator().manual_seed(seed))
    return 0.3 * decay * noise


def training_on(batch, recipe, settings=()):
    """A training of ours whose every batch is this one: the peers' steps load none either."""
    sizes = (f"train.batch_size={len(batch)}", f"model.n_samples={batch.shape[-1]}", "data.n_sounds=24")
    training = training_of((*sizes, *settings), Catalogue.installed(), recipe=recipe)
    training.batches = lambda _: batch
    return training


def compiled(training):
    """The same, with its encoder and decoder compiled."""
    training.model.encoder.compile()
    training.model.decoder.compile()
    return training


def n_weights(*modules):
    """How many numbers are learned."""
    return sum(weight.numel() for module in modules for weight in module.parameters())
