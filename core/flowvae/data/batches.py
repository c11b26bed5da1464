"""Batches: one gather from clips that lie on the device, then the augmentations, in batch."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from flowvae.contracts import BuiltAugmentation
from flowvae.data.clips import Clips
from flowvae.recipe import Recipe
from flowvae.streams import SeededStream


class Batches:
    """The batch of a step is a function of the seed and the step; nothing is remembered between steps."""

    def __init__(
        self,
        clips: Clips,
        recipe: Recipe,
        augmentations: Mapping[str, BuiltAugmentation],
        seed: int,
        device: torch.device,
    ) -> None:
        rows = clips.rows(held_out=False)
        self.names = [clips.info[i].name for i in rows]
        weights = [clips.info[i].weight for i in rows]
        self.weights = None if len({*weights}) < 2 else torch.tensor(weights, dtype=torch.float64)
        self.n_samples = recipe.model.n_samples
        self.between = slice(clips.slack, clips.slack + self.n_samples)
        self.size, self.seed, self.device = recipe.train.batch_size, seed, device
        self.augmentations = augmentations
        # Slack is for augmentations: without any, the gather gives the batch as it is.
        held = slice(None) if augmentations else self.between
        self.clips, self.places = _on(device, clips.audio[..., held], rows)

    def rows(self, step: int) -> Tensor:
        """Which sounds: every sound once an epoch, in an order of its own; a batch may reach into the next one.

        Where sounds have weights, an epoch is as long, and each sound comes count * weight / sum(weights) times in it,
        rounded down or up by lot: over the epochs a sound of weight 2 comes twice as often as one of weight 1.
        """
        count = len(self.names)
        places = range(step * self.size, (step + 1) * self.size)
        orders = {place // count: None for place in places}
        order = {epoch: self._order(epoch, count) for epoch in orders}
        return torch.stack([order[place // count][place % count] for place in places])

    @torch.no_grad()
    def __call__(self, step: int) -> Tensor:
        """(batch, c, n_samples) for a step."""
        batch = self.clips.index_select(0, self.places[self.rows(step)].to(self.device))
        for name, augment in self.augmentations.items():
            batch = augment(batch, SeededStream.of(self.seed, "augmentation", name, step))
        if batch.shape[-1] != self.n_samples:
            batch = batch[..., self.between]
        return batch.contiguous()

    def _order(self, epoch: int, count: int) -> Tensor:
        stream = SeededStream.of(self.seed, "order", epoch)
        order = torch.randperm(count, generator=stream.generator)
        return order if self.weights is None else _by_weight(order, self.weights, stream.generator)


def _on(device: torch.device, audio: NDArray[np.float32], rows: list[int]) -> tuple[Tensor, Tensor]:
    """The sounds where they are computed with, and the place of each of the rows there.

    The processor reads them from the mapped file, whose pages all runs share: a copy would make each run larger by the
    whole array, and would save a hundredth of a millisecond a batch. Another device is given a copy of the rows.
    """
    if device.type == "cpu":
        return torch.from_numpy(np.asarray(audio)), torch.tensor(rows)
    return torch.from_numpy(audio[rows]).to(device), torch.arange(len(rows))


def _by_weight(order: Tensor, weights: Tensor, generator: torch.Generator) -> Tensor:
    """Systematic sampling: the sounds lie in a row, each as long as its weight, under a comb whose place is drawn.

    Sounds of one weight lie side by side, so that all of them together come as often as they should in every epoch.
    """
    order = order[weights[order].argsort(stable=True)]
    count, ends = len(order), weights[order].cumsum(0)
    comb = torch.arange(count) + torch.rand((), generator=generator, dtype=torch.float64)
    # The last tooth could round onto the end of the row, where no sound lies.
    place = torch.searchsorted(ends, comb * (ends[-1] / count), right=True).clamp(max=count - 1)
    return order[place][torch.randperm(count, generator=generator)]
