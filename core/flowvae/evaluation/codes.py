"""What a trained model makes of held-out sounds as latent vectors: asked once, when a run is done."""

import numpy as np
import torch
from torch import Tensor

from flowvae.building.model import SoundVAE
from flowvae.evaluation.evidence import HeldOut, evaluating
from flowvae.evaluation.on_demand import OnDemand
from flowvae.folder.latents import Latents, Numbers
from flowvae.processes.signs import sign
from flowvae.streams import seed_torch, torch_seeded


@torch.no_grad()
def record_codes(
    model: SoundVAE, held_out: HeldOut, *, generated: int, audio_examples: int, batch: int
) -> Latents:
    """The codes of the held-out sounds, and as many samples of the prior: first the `generated` ones of the evaluation."""
    parts = torch.split(held_out.audio, batch)
    codes, drawn, returned = [], [], []
    with torch_seeded(0, "evaluation", "codes"), evaluating(model):
        for part in parts:
            sign("the codes of the trained model")
            posterior = model.encode(part)
            codes.append(posterior.mode)
            drawn.append(posterior.sample(torch.Size()))
            returned.append(model.encode(model.decode(posterior.mode)).mode)
        asked = OnDemand(model, parts, torch.cat(codes))
        divergence = asked.kl_by_dimension().mean(dim=0)
        prior = _prior_samples(model, generated, len(held_out.names))
    return Latents(
        codes=_numbers(asked.codes),
        drawn=_numbers(torch.cat(drawn)),
        kl=_numbers(divergence[:0] if divergence.isnan().any() else divergence),
        returned=_numbers(torch.cat(returned)),
        prior=_numbers(prior),
        clips=_clip_numbers(held_out, audio_examples),
    )


def _prior_samples(model: SoundVAE, generated: int, count: int) -> Tensor:
    """Begins as the evaluation does, with the vectors that it decodes; then goes on until there are `count`."""
    prior = model.prior()
    seed_torch(0)
    heard: Tensor = prior.sample(torch.Size([generated]))
    more: Tensor = prior.sample(torch.Size([max(0, count - generated)]))
    return torch.cat([heard, more])


def _clip_numbers(held_out: HeldOut, audio_examples: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    numbers = np.full(len(held_out.names), -1, dtype=np.int64)
    rows = held_out.audio_examples(audio_examples)
    numbers[rows] = np.arange(len(rows))
    return numbers


def _numbers(tensor: Tensor) -> Numbers:
    return tensor.detach().float().cpu().numpy()
