"""P6: a filter bank of 16 bands at 100 dB, there and back each with its gradient."""

import torch

import rave_network
from benchmarks.peers.alternating import Pair, Row, missing, tell
from flowvae_components.bands.pqmf import PQMF
from peer_packages import is_there

BATCH, N_SAMPLES, N_BANDS, EDGE = 8, 45056, 16, 1024


def bank():
    return PQMF(n_bands=N_BANDS, attenuation_db=100)


def their_bank():
    return rave_network.published("v2").pqmf


def there_and_back(transform, shape):
    given = torch.randn(shape, requires_grad=True)
    gradient = torch.randn_like(transform(given))
    return lambda: transform(given).backward(gradient)


AUDIO, BANDS = (BATCH, 1, N_SAMPLES), (BATCH, N_BANDS, N_SAMPLES // N_BANDS)
PAIRS = [
    Pair(
        f"PQMF, {what}",
        lambda ours=ours, shape=shape: there_and_back(getattr(bank(), ours), shape),
        lambda theirs=theirs, shape=shape: there_and_back(getattr(their_bank(), theirs), shape),
        1.0,
        peer="rave",
    )
    for what, ours, theirs, shape in (
        ("analysis", "analysis", "forward", AUDIO),
        ("synthesis", "synthesis", "inverse", BANDS),
    )
]


def errors():
    """How much of a sound is lost on the way there and back, its ends left out: RAVE's are not to be had back."""
    what = "PQMF, error of reconstruction"
    if not is_there("rave"):
        return [missing("P6", what, "rave")]
    mine, other = bank(), their_bank()
    ours = error_db(mine.analysis, mine.synthesis)
    theirs = error_db(other.forward, other.inverse, late=N_BANDS)
    return [
        Row("P6", what, f"{ours:.1f} dB", f"{theirs:.1f} dB", "", "no worse", round(ours - theirs, 1) <= 0)
    ]


@torch.no_grad()
def error_db(analysis, synthesis, late=0):
    """Relative to the sound, which comes back so many samples late."""
    audio = torch.randn((1, 1, N_SAMPLES), generator=torch.Generator().manual_seed(0))
    wrong = (synthesis(analysis(audio)).roll(-late, -1) - audio)[..., EDGE:-EDGE]
    return 20 * (wrong.norm() / audio[..., EDGE:-EDGE].norm()).log10().item()


if __name__ == "__main__":
    tell("P6", __spec__.name, PAIRS, errors)
