"""What a run took: time of a step, memory, speed of decoding."""

import statistics
import time
from collections.abc import Mapping, Sequence

import torch

from flowvae.building.device import wait_for
from flowvae.building.model import SoundVAE
from flowvae.building.parts import Parts
from flowvae.recipe import Recipe


def costs(
    parts: Parts, seconds: Mapping[str, Sequence[float]], memory: Mapping[str, float | None]
) -> dict[str, float | None]:
    """By name; `seconds` are the times of the steps of each phase, `memory` the most that was in use until it ended.

    Where there are several phases, `seconds_per_step/PHASE` and `peak_memory_mb/PHASE` tell them apart. A step of the whole
    is the mean of its phases, weighed by their steps, for a median would be that of the longer one.
    """
    medians = {phase: statistics.median(times) for phase, times in seconds.items() if times}
    steps = sum(len(seconds[phase]) for phase in medians)
    found: dict[str, float | None] = {
        "parameters": sum(p.numel() for p in parts.model.parameters()),
        "seconds_per_step": sum(medians[p] * len(seconds[p]) for p in medians) / steps if steps else None,
        "peak_memory_mb": max((peak for peak in memory.values() if peak is not None), default=None),
        "real_time_factor": real_time_factor(parts.average, parts.recipe, parts.device),
    }
    if parts.second_player is not None:
        found["discriminator_parameters"] = parts.second_player.n_weights
    if parts.second_player is not None or parts.prior_fit is not None:
        found |= {f"seconds_per_step/{phase}": median for phase, median in medians.items()}
        found |= {f"peak_memory_mb/{phase}": peak for phase, peak in memory.items()}
    return found


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
