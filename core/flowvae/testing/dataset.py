"""What every data set must keep, as functions that raise where it does not. For authors of data sets, too."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import numpy as np

from flowvae.contracts import BuiltDataset, BuiltNamedDataset, Skipped, Sound
from flowvae.testing import checks_in

if TYPE_CHECKING:
    from flowvae.contracts import Dataset

_RATE, _CHANNELS, _N_SAMPLES = 22_050, 2, 4_096


def _source(make: Dataset, rate: int = _RATE, channels: int = _CHANNELS) -> BuiltDataset:
    return make(rate, channels, _N_SAMPLES)


def _sounds(source: BuiltDataset) -> list[Sound]:
    return [item for item in source.read() if isinstance(item, Sound)]


def gives_sounds_or_reasons(make: Dataset) -> None:
    """Whatever is read is a Sound, or a Skipped with a reason; at least one is a Sound."""
    found = list(_source(make).read())
    assert any(isinstance(item, Sound) for item in found), (
        "give the check a set with at least one usable sound"
    )
    for item in found:
        assert isinstance(item, Sound | Skipped), f"yield Sound or Skipped, not {type(item).__name__}"
        assert isinstance(item, Sound) or item.reason, f"say why {item.name} is skipped"


def reads_the_same_twice(make: Dataset) -> None:
    """Two sources of one set give the same sounds in the same order, and so do two readings of one source."""
    source = _source(make)
    first = list(source.read())
    for other in (list(source.read()), list(_source(make).read())):
        assert [item.name for item in first] == [item.name for item in other], (
            "sort by name: order must not vary"
        )
        for one, two in zip(first, other, strict=True):
            assert type(one) is type(two), (
                f"{one.name} was used once and skipped once: decide by the sound alone"
            )
            if isinstance(one, Sound) and isinstance(two, Sound):
                same = (one.group, one.start, one.label) == (two.group, two.start, two.label)
                same = same and np.array_equal(one.audio, two.audio)
                assert same, f"{one.name} came out differently: draw from a generator keyed by the sound"


def has_the_shape_that_was_asked_for(make: Dataset) -> None:
    """Audio is float32 of shape (channels, t), t at least 1, for one channel and for two."""
    for channels in (1, 2):
        for sound in _sounds(_source(make, channels=channels)):
            shape = sound.audio.shape
            assert sound.audio.dtype == np.float32, f"{sound.name} is {sound.audio.dtype}: convert to float32"
            assert len(shape) == 2, f"{sound.name} has shape {shape}: keep the channel axis"
            assert shape[0] == channels, f"{sound.name} has {shape[0]} channels, {channels} were asked for"
            assert shape[1] > 0, f"{sound.name} has no samples: skip it and say so"


def follows_the_sample_rate(make: Dataset) -> None:
    """At half the rate sounds have half the samples, in the median: one that lives by its highs may be shorter."""
    full = {sound.name: sound.audio.shape[1] for sound in _sounds(_source(make))}
    halved = _sounds(_source(make, rate=_RATE // 2))
    shares = [sound.audio.shape[1] / full[sound.name] for sound in halved if sound.name in full]
    assert shares, "no sound is there at both rates: a rate must not change names"
    share = float(np.median(shares))
    assert 0.4 < share < 0.6, f"half the rate gives {share:.0%} of the samples: convert to the rate asked for"


def stays_finite_and_in_range(make: Dataset) -> None:
    """No sample is NaN or infinite, none is beyond full scale, and no sound is silent."""
    for sound in _sounds(_source(make)):
        assert np.isfinite(sound.audio).all(), f"{sound.name} has non-finite samples: skip it and say so"
        peak = float(np.abs(sound.audio).max())
        assert 0 < peak <= 1, f"{sound.name} peaks at {peak}: skip silence, scale the rest into [-1, 1]"


def weighs_each_sound_above_zero(make: Dataset) -> None:
    """A weight is finite and above 0: a sound that is never to be drawn is left out."""
    for sound in _sounds(_source(make)):
        assert 0 < sound.weight < float("inf"), f"{sound.name} has the weight {sound.weight}: skip it instead"


def names_each_sound_once(make: Dataset) -> None:
    """Names are unique, relative and printable, with forward slashes; every sound has a group, and a label is printable."""
    names = [item.name for item in _source(make).read()]
    assert len(names) == len(set(names)), "two items share a name: add the folder or a number"
    for name in names:
        assert name.isprintable(), f"{name!r} holds control characters: escape them"
        assert name, "an item has no name"
        assert not name.startswith("/"), f"{name} is absolute: name it relative to the set"
        assert ".." not in name.split("/"), f"{name} leaves the set: name it relative to the set"
    for sound in _sounds(_source(make)):
        assert sound.group, f"{sound.name} has no group: one of its own is the least"
        assert sound.label.isprintable(), f"the label of {sound.name} holds control characters"


def foretells_what_it_reads(make: Dataset) -> None:
    """A source that has names() names every sound that it reads, with its group and its label, and in its order."""
    source = _source(make)
    if isinstance(source, BuiltNamedDataset):
        named = [(*row, "")[:3] for row in source.names()]
        sounds = [(sound.whole or sound.name, sound.group, sound.label) for sound in _sounds(source)]
        read = list(dict.fromkeys(sounds))
        missing = [row for row in read if row not in named]
        assert not missing, f"names() leaves out {missing[0]}: `flowvae check` would foretell another split"
        assert [row for row in named if row in read] == read, "names() has another order than read()"


def starts_within_the_sound(make: Dataset) -> None:
    """`start` is a sample of the sound, and what is loudest comes after it."""
    for sound in _sounds(_source(make)):
        assert 0 <= sound.start < sound.audio.shape[1], (
            f"{sound.name} starts at {sound.start}, outside of the audio"
        )
        loudest = int(np.abs(sound.audio).max(axis=0).argmax())
        assert sound.start <= loudest, f"{sound.name} starts at {sound.start}, behind its peak at {loudest}"


def has_a_stable_fingerprint(make: Dataset) -> None:
    """64 hexadecimal digits, the same from two sources, before and after reading; other for another rate."""
    source = _source(make)
    before = source.fingerprint()
    list(source.read())
    assert len(before) == 64, f"the fingerprint has {len(before)} characters: use SHA-256 as hexadecimal text"
    assert set(before) <= set(string.hexdigits.lower()), "the fingerprint is not hexadecimal in small letters"
    assert source.fingerprint() == before, (
        "the fingerprint changed by reading: hash what the sounds are made from"
    )
    assert _source(make).fingerprint() == before, "two sources of one set differ: hash no identity"
    assert _source(make, rate=2 * _RATE).fingerprint() != before, "the fingerprint misses the sample rate"


CHECKS = checks_in(globals())
