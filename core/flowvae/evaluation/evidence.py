"""Measures a model on held-out sounds that are the same for every run."""

import hashlib
import math
from collections.abc import Collection, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from attrs import frozen
from torch import Tensor, nn
from torch.distributions import kl_divergence

from flowvae.building.model import SoundVAE
from flowvae.contracts import BuiltMetric, Evidence, LatentDistribution
from flowvae.data.clips import Clips
from flowvae.data.instruments import class_of
from flowvae.evaluation.on_demand import OnDemand
from flowvae.processes.signs import sign
from flowvae.streams import seed_torch, torch_seeded


@frozen(eq=False)
class HeldOut:
    """The sounds that runs are judged by; some of them are also written as audio."""

    audio: Tensor
    names: tuple[str, ...]
    groups: tuple[str, ...]
    classes: tuple[str, ...]
    """Of each sound; "" where nothing says it."""

    @classmethod
    def of(cls, clips: Clips, n_samples: int, count: int, device: torch.device) -> "HeldOut":
        """Chosen by their names alone, so that neither the seed nor the order of reading matters."""
        rows = _by_name(clips, count, held_out=True)
        info = [clips.info[i] for i in rows]
        return cls(
            _audio(clips, rows, n_samples, device),
            tuple(i.name for i in info),
            tuple(i.group for i in info),
            tuple(class_of(i.name, i.label) for i in info),
        )

    def first(self, count: int) -> "HeldOut":
        """Some of the sounds, always the same ones: their order is that of a hash."""
        return HeldOut(self.audio[:count], self.names[:count], self.groups[:count], self.classes[:count])

    def audio_examples(self, count: int) -> list[int]:
        """Which of the sounds are written as audio: one of each class in turn, until there are `count`.

        A class with more sounds comes first, what has none last; nothing but names and labels decides, so that
        all arms and seeds write the same.
        """
        by_class: dict[str, list[int]] = {}
        for row, word in enumerate(self.classes):
            by_class.setdefault(word, []).append(row)
        order = sorted(by_class, key=lambda word: (not word, -len(by_class[word]), word))
        rounds = zip_longest(*(by_class[word] for word in order))
        return [row for one in rounds for row in one if row is not None][:count]


def trained_sounds(clips: Clips, n_samples: int, count: int, device: torch.device) -> Tensor:
    """Sounds that the model learns from, chosen as the held-out ones are."""
    return _audio(clips, _by_name(clips, count, held_out=False), n_samples, device)


def _by_name(clips: Clips, count: int, *, held_out: bool) -> list[int]:
    rows = clips.rows(held_out=held_out)
    return sorted(rows, key=lambda i: hashlib.sha256(clips.info[i].name.encode()).digest())[:count]


def _audio(clips: Clips, rows: list[int], n_samples: int, device: torch.device) -> Tensor:
    cut = np.stack([clips.audio[i, :, clips.slack : clips.slack + n_samples] for i in rows])
    return torch.from_numpy(cut).to(device)


@frozen(eq=False)
class Figures:
    """What a metric said."""

    value: float | None
    per_sound: tuple[float | None, ...] | None

    @classmethod
    def over(cls, per_sound: tuple[float | None, ...]) -> "Figures":
        """What the figures of some sounds are together: their median, which a few odd clips cannot move."""
        known = sorted(v for v in per_sound if v is not None)
        # A figure that is missing for some sounds would compare different sounds: then there is none.
        return cls(float(np.median(known)) if known and len(known) == len(per_sound) else None, per_sound)

    def of_first(self, count: int) -> "Figures":
        """The same of the first sounds alone; none where the metric has one figure for all."""
        return Figures(None, None) if self.per_sound is None else Figures.over(self.per_sound[:count])


def kl_per_sound(posterior: LatentDistribution, prior: LatentDistribution) -> Tensor:
    """Nats of each sound: the closed form where torch knows one, else one sample."""
    try:
        return kl_divergence(posterior, prior)  # type: ignore[arg-type]  # a Protocol of ours, a class of torch's
    except NotImplementedError:
        latent, log_prob = posterior.rsample_and_log_prob()
        return log_prob - prior.log_prob(latent)


@torch.no_grad()
def gather_evidence(
    model: SoundVAE,
    held_out: HeldOut,
    samples: int,
    batch: int,
    *,
    trained: Tensor | None = None,
    reads: Collection[str] = (),
) -> Evidence:
    """Reconstructions without randomness, and samples from the prior with noise that is the same for every run.

    `reads` are the fields that the metrics name, beyond those that are always there.
    """
    estimates, codes, divergences = [], [], []
    parts = torch.split(held_out.audio, batch)
    with torch_seeded(0, "evaluation"), evaluating(model):
        prior = model.prior()
        for part in parts:
            sign()
            posterior = model.encode(part)
            codes.append(posterior.mode)
            estimates.append(model.decode(posterior.mode))
            divergences.append(kl_per_sound(posterior, prior))
        seed_torch(0)
        latents = torch.split(prior.sample(torch.Size([samples])), batch) if samples else ()
        generated = []
        for latent in latents:
            sign()
            generated.append(model.decode(latent))
        more = OnDemand(model, parts, torch.cat(codes)).gather(reads)
    if trained is not None:
        more["trained"] = trained
    return Evidence(
        real=held_out.audio,
        estimate=torch.cat(estimates),
        generated=torch.cat(generated) if generated else held_out.audio[:0],
        codes=torch.cat(codes),
        kl=torch.cat(divergences),
        classes=held_out.classes,
        **more,
    )


class evaluating:  # noqa: N801 - reads as a word: with evaluating(model)
    """Puts a module into evaluation mode for a while; what is in it already, as the frozen parts of a model, stays there."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.training: list[nn.Module] = []

    def __enter__(self) -> None:
        self.training = [module for module in self.module.modules() if module.training]
        self.module.eval()

    def __exit__(self, *_: object) -> None:
        for module in self.training:
            module.training = True


def what_is_read(measures: Mapping[str, BuiltMetric]) -> frozenset[str]:
    """The fields of the evidence that some metric names."""
    return frozenset(name for one in measures.values() for name in getattr(one, "reads", ()))


@torch.no_grad()
def measure(measures: Mapping[str, BuiltMetric], evidence: Evidence) -> dict[str, Figures]:
    """Every metric; over the sounds the median counts."""
    figures = {}
    for name, one in measures.items():
        sign()
        figures[name] = _figures(one(evidence))
    return figures


def _figures(result: Tensor) -> Figures:
    if result.ndim == 0:
        return Figures(_number(result.item()), None)
    return Figures.over(tuple(_number(v) for v in result.double().tolist()))


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
