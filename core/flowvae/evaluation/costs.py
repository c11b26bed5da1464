"""What a run took: time of a step, memory, speed of decoding."""

import statistics
import time
from collections.abc import Sequence

import torch

from flowvae.building.device import wait_for
from flowvae.building.model import SoundVAE
from flowvae.building.parts import Parts
from flowvae.evaluation.memory import peak_memory_mb
from flowvae.recipe import Recipe


def costs(parts: Parts, seconds: Sequence[float]) -> dict[str, float | None]:
    """By name; `seconds` are the times of the steps."""
    return {
        "parameters": sum(p.numel() for p in parts.model.parameters()),
        "seconds_per_step": statistics.median(seconds) if seconds else None,
        "peak_memory_mb": peak_memory_mb(parts.device),
        "real_time_factor": real_time_factor(parts.average, parts.recipe, parts.device),
    }


@torch.no_grad()
def real_time_factor(model: SoundVAE, recipe: Recipe, device: torch.device) -> float:
    """Seconds of audio that one second of decoding makes, one sound at a time."""
    latent = torch.zeros(1, recipe.model.latent_dim, device=device)
    times = []
    model.eval()
    for _ in range(5):
        wait_for(device)  # what it was asked before is not decoding
        started = time.perf_counter()
        model.decode(latent).cpu()
        times.append(time.perf_counter() - started)
    return recipe.model.n_samples / recipe.model.sample_rate / statistics.median(times)
