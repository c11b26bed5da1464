"""What every reference must do."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from flowvae.contracts import Reference
from flowvae.testing import checks_in
from flowvae.testing.properties import noise

SAMPLE_RATE, N_SAMPLES, N_ITEMS = 44100, 4096, 4


def sounds(channels: int = 2) -> Tensor:
    """Hits of noise with a silent tail."""
    time = torch.arange(N_SAMPLES)
    return 0.3 * noise(N_ITEMS, channels, N_SAMPLES) * torch.exp(-time / 400) * (time < 3000)


class _Softer(nn.Module):
    """A network from audio to audio."""

    def forward(self, audio: Tensor) -> Tensor:
        """The sound at half its level."""
        return 0.5 * audio


def write_network(folder: Path) -> Path:
    """A network in a file, for references that ask for one."""
    path = folder / "network.ts"
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # torch wants its newer form, people have this one
        torch.jit.trace(_Softer(), torch.zeros(1, 1, 64)).save(str(path))  # type: ignore[no-untyped-call]
    return path


def _of(make: Reference, audio: Tensor) -> Tensor:
    with torch.no_grad():
        return make(SAMPLE_RATE, audio.shape[1], audio.shape[2])(audio)


def the_shape_is_kept(make: Reference) -> None:
    """(b, c, t) stays, in mono, in stereo, and for a single sound, and the values are finite."""
    for audio in (sounds(1), sounds(2), sounds(1)[:1]):
        heard = _of(make, audio)
        assert heard.shape == audio.shape, (
            f"{tuple(audio.shape)} becomes {tuple(heard.shape)}; expected the same shape"
        )
        assert heard.isfinite().all(), "ordinary sounds come out as numbers that are not finite"


def silence_stays_finite(make: Reference) -> None:
    """Silence gives finite sounds."""
    assert _of(make, torch.zeros(2, 1, N_SAMPLES)).isfinite().all(), (
        "silence comes out as numbers that are not finite"
    )


def one_sound_has_one_reconstruction(make: Reference) -> None:
    """Nothing is drawn anew, and the others of the batch do not matter."""
    audio = sounds()
    whole, again, alone = _of(make, audio), _of(make, audio), _of(make, audio[1:2])
    assert torch.equal(whole, again), (
        "two calls differ: draw what must be drawn from a generator with a seed of its own"
    )
    assert torch.allclose(whole[1:2], alone, atol=1e-5), "one sound changes another's reconstruction"


def the_input_is_untouched(make: Reference) -> None:
    """The sounds are as they were."""
    audio = sounds()
    _of(make, audio)
    assert torch.equal(audio, sounds()), "the sounds were changed in place; expected a new tensor"


CHECKS = checks_in(globals())
