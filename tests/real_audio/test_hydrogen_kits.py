"""Claims on real drums: the kits of Debian's package hydrogen-drumkits."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from flowvae.contracts import Skipped, Sound
from flowvae.data.copies import copies, fingerprint
from flowvae.data.prepare import cut_clip
from flowvae_components.datasets.folder import Folder

KITS = Path("/usr/share/hydrogen/data/drumkits")
pytestmark = [
    pytest.mark.real_audio,
    pytest.mark.skipif(not KITS.is_dir(), reason="needs Debian's hydrogen-drumkits"),
]
# Version 2017.09.19~dfsg-1: 754 audio files in 14 kits, two of them silent; three hold several hits and give a sound for each: two
# snares of BJA_Pacific that are struck twice and three times, and a loop of rumpf_kit_z01_h2.
N_USED = {
    "rumpf_kit_z01_h2": 132,
    "ForzeeStereo": 124,
    "The Black Pearl 1.0": 106,
    "BJA_Pacific": 89,
    "Gimme A Hand 1.0": 65,
    "Millo_MultiLayered2": 52,
    "Millo_MultiLayered3": 40,
    "ElectricEmpireKit": 32,
    "ColomboAcousticDrumkit": 27,
    "circAfrique v4": 27,
    "HardElectro1": 16,
    "Millo-Drums_v.1": 16,
    "VariBreaks": 16,
    "Audiophob": 14,
}


@pytest.fixture(scope="module")
def items():
    # hydrogen-data may have put its own kits beside them.
    return [item for item in Folder(44_100, 1, 16_384, path=KITS).read() if item.name.split("/")[0] in N_USED]


def test_every_drum_is_used_and_belongs_to_its_kit(items):
    sounds = [item for item in items if isinstance(item, Sound)]
    assert Counter(sound.group for sound in sounds) == N_USED
    assert all(sound.name.startswith(f"{sound.group}/") for sound in sounds)


def test_placeholders_and_texts_are_refused_with_a_reason(items):
    reasons = {item.name: item.reason for item in items if isinstance(item, Skipped)}
    silent = {name for name, reason in reasons.items() if reason.startswith("silent")}
    assert silent == {"HardElectro1/emptySample.flac", "Millo-Drums_v.1/emptySample.flac"}
    assert {reason for name, reason in reasons.items() if name not in silent} == {"not audio"}


def test_real_drums_come_out_level_finite_and_without_offset(items):
    for sound in (item for item in items if isinstance(item, Sound)):
        assert np.isfinite(sound.audio).all()
        assert np.abs(sound.audio).max() == pytest.approx(0.95)
        # In a file of 17 ms the mean is a part of the hit.
        assert abs(sound.audio.mean()) < 0.005 or sound.audio.shape[1] < 882
        assert sound.start < sound.audio.shape[1]


def test_the_oddities_of_the_kits_are_noted(items):
    notes = {item.name: item.note for item in items if isinstance(item, Sound)}
    aiff = "Audiophob/25671__walter-odington__garage-city-snare-snappy.wav"
    assert "named .wav, AIFF inside" in notes[aiff]
    assert "8 bit" in notes["Audiophob/124382__cubix__8bit-snare.wav"]
    assert sum("clipped" in note for name, note in notes.items() if name.startswith("circAfrique")) >= 10
    assert sum("quiet" in note for note in notes.values()) == 9


def test_of_real_kits_only_what_their_makers_copied_is_a_copy(items):
    sounds = [item for item in items if isinstance(item, Sound)]
    prints = [fingerprint(cut_clip(sound, 16_384, 441, 44_100), 44_100) for sound in sounds]
    names = [sound.name for sound in sounds]
    [(one, other)] = copies(prints, [sound.group for sound in sounds], names)
    found = {sounds[one].name, sounds[other].name}
    assert found == {"Millo-Drums_v.1/misc_Cowbell.flac", "Millo_MultiLayered3/mc_cb.flac"}
    within = copies(prints, names, names)
    assert 80 <= len(within) <= 110  # one take at several levels; the kits have hundreds of pairs of layers


def test_next_to_every_clip_of_a_real_drum_is_the_sound_of_its_file(items):
    notes = {item.name: item.note for item in items if isinstance(item, Sound)}
    said = ("the hit is not in", "is in its clip", "nothing above", "cancel")
    assert {name for name, note in notes.items() if any(words in note for words in said)} == {
        "Audiophob/124382__cubix__8bit-snare.wav",  # at 22.05 kHz
        "rumpf_kit_z01_h2/beats_06-47.flac",
    }
