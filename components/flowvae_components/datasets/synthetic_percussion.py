"""Drums that are computed: a data set for everyone who has none at hand, the same on every machine."""

import hashlib
import json
from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from flowvae.contracts import Refused, Skipped, Sound
from flowvae_components.datasets.voices.character import Character, draw_character
from flowvae_components.datasets.voices.clap import clap
from flowvae_components.datasets.voices.finishing import ended, in_a_room
from flowvae_components.datasets.voices.hat import closed_hat, open_hat
from flowvae_components.datasets.voices.kick import kick
from flowvae_components.datasets.voices.rim import rim
from flowvae_components.datasets.voices.shaker import shaker
from flowvae_components.datasets.voices.snare import snare
from flowvae_components.datasets.voices.tom import tom

_Voice = Callable[[Generator, Generator, Character, int], NDArray[np.float64]]

N_KITS = 24
# What lies in a kit, in the order in which it is taken: any few sounds in a row are of many kinds.
_KIT = (
    *(kick, snare, closed_hat, tom, clap, kick, snare, open_hat, rim, closed_hat),
    *(tom, kick, snare, shaker, clap, closed_hat, kick, snare, tom, open_hat),
)
_STRIDE = 7
_PEAK = 0.95
_LEAD_S = 0.002
# What a fingerprint stands for, for one channel and for more; a change in any voice raises both.
_VERSION, _VERSION_OF_MANY = 1, 2
_MIDDLE, _WIDE = 0.15, 0.8
"""How far from the middle a drum may stand: kicks and snares, and the others. 1 is one channel alone."""

STEREO = 2
MOST_SOUNDS = 100_000
"""They are held in memory: 10 GB at a second each are plenty."""


class SyntheticPercussion:
    """Kicks, snares, hats, claps, toms, rims and shakers of 24 kits that never existed.

    Formula: sound i belongs to kit i mod 24, whose character (tuning, decay, drive, colour, room) all of its sounds
        share; voice and values come from generators keyed by (seed, i) alone, so a longer set begins with the
        shorter one. 2 ms of silence, the hit, at most 1 s; peak 0.95. Each channel has a room of its own; of two
        channels, each drum of a kit stands at a place of its own between them, kicks and snares near the middle:
        left, right = sqrt(2) * (cos, sin)((1 + place) * pi / 4). At another sample rate the values stay and the noise is
        drawn anew.
    Shapes: -> (channels, 0.02 to 1 s).
    Units: full scale is 1.
    Parameters:
        n_sounds: how many sounds; 480 are 20 a kit.
        seed: another seed is another 24 kits.
    Source: own; each voice names what it was measured against.

    >>> sounds = list(SyntheticPercussion(44100, 1, 16384, n_sounds=2).read())
    >>> [(sound.name, sound.group) for sound in sounds]
    [('kick/kick-000', 'kit-00'), ('open_hat/open_hat-001', 'kit-01')]
    """

    # One generator draws every kit, and every kit has the same share of each voice.
    exchangeable: bool = True

    def __init__(
        self, sample_rate: int, channels: int, n_samples: int, *, n_sounds: int = 480, seed: int = 0
    ) -> None:
        if not 1 <= n_sounds <= MOST_SOUNDS:
            raise Refused("n_sounds", f"n_sounds must be from 1 to {MOST_SOUNDS}, got {n_sounds}")
        if not 0 <= seed < 2**32:
            raise Refused("seed", f"seed must be from 0 to 4294967295, got {seed}")
        self.sample_rate = sample_rate
        self.channels = channels
        self.n_sounds = n_sounds
        self.seed = seed

    def fingerprint(self) -> str:
        """SHA-256 over the parameters and the version of the voices."""
        version = _VERSION if self.channels == 1 else _VERSION_OF_MANY
        settings = [version, self.sample_rate, self.channels, self.n_sounds, self.seed]
        return hashlib.sha256(json.dumps(settings).encode()).hexdigest()

    def read(self) -> Iterator[Sound | Skipped]:
        """Every sound, in the order of its number."""
        for index in range(self.n_sounds):
            yield self._sound(index)

    def names(self) -> Iterator[tuple[str, str]]:
        """Name and kit of every sound, without computing it."""
        for index in range(self.n_sounds):
            kit, voice = _place(index)
            yield _name(index, voice), f"kit-{kit:02d}"

    def _sound(self, index: int) -> Sound:
        # The third number keeps the streams apart: values, noise, room and kit.
        values, noise, room = (np.random.default_rng([self.seed, index, purpose]) for purpose in (1, 2, 3))
        kit, voice = _place(index)
        character = draw_character(np.random.default_rng([self.seed, kit, 4]))
        dry = voice(values, noise, character, self.sample_rate)
        wet = ended(
            np.stack([in_a_room(dry, character, room, self.sample_rate) for _ in range(self.channels)]),
            self.sample_rate,
        )
        if self.channels == STEREO:
            wet = wet * _sides(voice, np.random.default_rng([self.seed, kit, 5, *voice.__name__.encode()]))
        return Sound(_name(index, voice), f"kit-{kit:02d}", self._levelled(wet))

    def _levelled(self, sound: NDArray[np.float64]) -> NDArray[np.float32]:
        lead = np.zeros((self.channels, round(_LEAD_S * self.sample_rate)))
        audio = np.concatenate([lead, sound * (_PEAK / np.abs(sound).max())], axis=1)
        return audio.astype(np.float32)


def _sides(voice: _Voice, generator: Generator) -> NDArray[np.float64]:
    """The gains of left and right, (2, 1), with the power of the middle."""
    reach = _MIDDLE if voice in {kick, snare} else _WIDE
    angle = (1 + generator.uniform(-reach, reach)) * np.pi / 4
    return np.asarray(np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]]))


def _place(index: int) -> tuple[int, _Voice]:
    """The kit of a sound and its voice."""
    kit = index % N_KITS
    return kit, _KIT[(index // N_KITS + _STRIDE * kit) % len(_KIT)]


def _name(index: int, voice: _Voice) -> str:
    return f"{voice.__name__}/{voice.__name__}-{index:03d}"
