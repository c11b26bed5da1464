"""Claims of the synthetic drums: the same everywhere, independent of their number, and drums by measure."""

import time
from collections import Counter, defaultdict

import numpy as np
import pytest

from flowvae.testing import dataset as conformance
from flowvae_components.datasets.synthetic_percussion import SyntheticPercussion
from flowvae_components.datasets.voices.character import Character
from flowvae_components.datasets.voices.finishing import in_a_room
from flowvae_components.datasets.voices.tones import decaying, falling_sine, seconds, square_cluster

RATE = 44_100
# Median centroid in Hz and median time to -40 dB in s: the range between the 5th and the 95th percentile of the
# recorded drums that each voice names; the shaker's is its own formula.
RANGES = {
    "kick": ((55, 146), (0.10, 0.58)),
    "snare": ((200, 2800), (0.09, 0.63)),
    "closed_hat": ((3100, 14_600), (0.09, 0.47)),
    "open_hat": ((1400, 10_300), (0.16, 1.0)),
    "clap": ((1500, 3000), (0.06, 0.25)),
    "tom": ((89, 476), (0.19, 1.0)),
    "rim": ((360, 4900), (0.04, 0.64)),
    "shaker": ((4000, 10_000), (0.05, 0.2)),
}


@pytest.fixture(scope="module")
def sounds():
    return list(SyntheticPercussion(RATE, 1, 16_384).read())


def centroid_hz(x):
    power = np.abs(np.fft.rfft(x, 65_536)) ** 2
    return np.fft.rfftfreq(65_536, 1 / RATE) @ power / power.sum()


def fall_s(x):
    energy = np.diff(np.cumsum(x**2)[::220])
    loudest = energy.argmax()
    return np.flatnonzero(energy[loudest:] > energy[loudest] / 10_000)[-1] * 220 / RATE


@pytest.fixture(scope="module")
def measured(sounds):
    """Centroid and time to -40 dB of every sound, by its voice."""
    voices = defaultdict(list)
    for sound in sounds:
        x = sound.audio[0].astype(np.float64)
        voices[sound.name.split("/")[0]].append((centroid_hz(x), fall_s(x)))
    return {voice: np.array(values) for voice, values in voices.items()}


@pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
def test_synthetic_percussion_keeps_the_contract(check):
    check(lambda rate, channels, n: SyntheticPercussion(rate, channels, n, n_sounds=30))


def test_a_longer_set_begins_with_the_shorter_one(sounds):
    few = list(SyntheticPercussion(RATE, 1, 16_384, n_sounds=30).read())
    for one, other in zip(few, sounds, strict=False):
        assert (one.name, one.group) == (other.name, other.group)
        assert np.array_equal(one.audio, other.audio)


def test_another_seed_is_another_set():
    first, second = (next(SyntheticPercussion(RATE, 1, 16, seed=seed).read()).audio[0] for seed in (0, 1))
    n = min(len(first), len(second))
    assert abs(np.corrcoef(first[:n], second[:n])[0, 1]) < 0.9
    assert (
        SyntheticPercussion(RATE, 1, 16, seed=1).fingerprint()
        != SyntheticPercussion(RATE, 1, 16).fingerprint()
    )


def test_a_full_set_has_24_kits_with_every_voice(sounds):
    kits = defaultdict(set)
    for sound in sounds:
        kits[sound.group].add(sound.name.split("/")[0])
    assert Counter(sound.group for sound in sounds) == dict.fromkeys(
        (f"kit-{number:02d}" for number in range(24)), 20
    )
    assert all(voices == RANGES.keys() for voices in kits.values())


def test_a_few_sounds_are_of_many_voices():
    names = [sound.name for sound in SyntheticPercussion(RATE, 1, 16, n_sounds=48).read()]
    assert {name.split("/")[0] for name in names} == RANGES.keys()


def test_sounds_last_20_ms_to_1_s_and_fill_the_scale(sounds):
    for sound in sounds:
        assert 0.02 * RATE <= sound.audio.shape[1] <= 1.003 * RATE
        assert np.isfinite(sound.audio).all()
        assert np.abs(sound.audio).max() == pytest.approx(0.95)
        assert np.abs(sound.audio[:, -8:]).max() < 1e-3


def test_nothing_is_clipped(sounds):
    for sound in sounds:
        at_the_peak = np.abs(sound.audio) > 0.95 * 0.99999
        assert at_the_peak.sum() <= 2, sound.name


def test_sounds_begin_two_milliseconds_in_and_then_at_once(sounds):
    for sound in sounds:
        first = np.flatnonzero(np.abs(sound.audio[0]) > 0.0095)[0]
        assert not sound.audio[:, :87].any()
        assert first <= (0.05 if sound.name.startswith("shaker") else 0.012) * RATE, sound.name


def test_sounds_die_away_and_do_not_come_back(sounds):
    for sound in sounds:
        x = sound.audio[0].astype(np.float64)
        assert np.abs(x[-len(x) // 8 :]).max() < 0.15, sound.name


@pytest.mark.parametrize("voice", RANGES)
def test_voices_are_as_bright_and_as_long_as_recorded_drums(voice, measured):
    (low_hz, high_hz), (short_s, long_s) = RANGES[voice]
    values = measured[voice]
    inside = (values >= (0.8 * low_hz, 0.5 * short_s)) & (values <= (1.25 * high_hz, 1.25 * long_s))
    assert low_hz <= np.median(values[:, 0]) <= high_hz
    assert short_s <= np.median(values[:, 1]) <= long_s
    assert inside.mean(axis=0).min() > 0.85


@pytest.mark.parametrize("voice", RANGES)
def test_sounds_of_one_voice_differ(voice, measured, sounds):
    assert (np.ptp(np.log2(measured[voice]), axis=0) > 0.8).all()
    members = [sound.audio[0] for sound in sounds if sound.name.startswith(f"{voice}/")]
    attacks = np.stack([np.pad(x, (0, RATE))[88:2293] for x in members])
    assert (np.corrcoef(attacks) - np.eye(len(attacks))).max() < 0.999


def test_sounds_of_one_kit_share_a_character(measured, sounds):
    voices = np.array([sound.name.split("/")[0] for sound in sounds])
    kits = np.array([sound.group for sound in sounds])
    falls = np.zeros(len(sounds))
    for voice, values in measured.items():
        falls[voices == voice] = np.log(values[:, 1]) - np.log(values[:, 1]).mean()
    within = np.mean([falls[kits == kit].var(ddof=1) for kit in np.unique(kits)])
    between = np.var([falls[kits == kit].mean() for kit in np.unique(kits)], ddof=1)
    # The F ratio of 24 groups of 20: 1 where kits mean nothing, and above 2 with a chance of 1 in 300.
    assert 20 * between / within > 5


def test_hats_share_no_fundamental():
    tone = square_cluster(32_768, RATE, np.array([205.3, 304.4, 369.6]), np.ones(16_385))
    spectrum = np.abs(np.fft.rfft(tone))
    strongest = np.sort(np.argsort(spectrum)[-3:]) * RATE / 32_768
    assert np.allclose(strongest, [205.3, 304.4, 369.6], atol=1)


def test_a_pitch_above_the_nyquist_frequency_is_silent_and_folds_nowhere():
    assert not square_cluster(64, 64, np.array([40.0]), np.ones(33)).any()


def test_a_falling_sine_has_the_pitch_of_its_formula():
    t = seconds(0.5, RATE)
    x = falling_sine(t, 50.0, 3.0, 0.02)
    crossings = t[1:][(x[1:] >= 0) & (x[:-1] < 0)]
    cycle = np.diff(crossings)
    middles = (crossings[1:] + crossings[:-1]) / 2
    assert np.allclose(1 / cycle, 50 * (1 + 3 * np.exp(-middles / 0.02)), rtol=0.02)


def test_a_decay_is_40_db_down_after_its_time():
    x = decaying(np.array([0.1, 0.3]), 0.2)
    assert 20 * np.log10(x[1] / x[0]) == pytest.approx(-40)


def test_a_room_sounds_after_the_hit_and_never_before():
    dry = np.zeros(30_000)
    dry[1000:1100] = np.hanning(100)
    for tilt in (-1.5, 1.5):
        kit = Character(1, 1, 1, tilt, 0, 0, -12, 0.4)
        wet = in_a_room(dry, kit, np.random.default_rng(0), RATE)
        assert np.abs(wet[:990]).max() < 1e-3 * np.abs(wet).max()
        assert np.abs(wet[-2000:]).max() < 1e-3 * np.abs(wet).max()


def test_a_kit_tilts_its_sounds_by_decibels_per_octave():
    click = np.eye(1, 4096, 100)[0]
    kit = Character(1, 1, 1, -1.5, 0, 0, -300, 0.1)
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(in_a_room(click, kit, np.random.default_rng(0), RATE), RATE)))
    assert gain_db[2000] - gain_db[500] == pytest.approx(2 * -1.5, abs=0.1)
    assert gain_db[8000] - gain_db[4000] == pytest.approx(-1.5 * 0.87, abs=0.1)


def test_channels_share_the_drum_and_have_rooms_of_their_own(sounds):
    for index, sound in zip(range(24), SyntheticPercussion(RATE, 2, 16, n_sounds=24).read(), strict=True):
        left, right = sound.audio.astype(np.float64)
        n = min(len(left), sounds[index].audio.shape[1]) - 300
        assert np.corrcoef(left, right)[0, 1] > 0.9
        assert not np.array_equal(left, right)
        assert np.corrcoef(left[:n], sounds[index].audio[0, :n])[0, 1] > 0.9999


def test_the_values_do_not_depend_on_the_rate(sounds):
    for full, half in zip(
        sounds[:24], SyntheticPercussion(RATE // 2, 1, 16, n_sounds=24).read(), strict=True
    ):
        if full.name.split("/")[0] in {"kick", "tom"}:
            n = min(full.audio.shape[1] // 2, half.audio.shape[1], 3000)
            assert np.corrcoef(full.audio[0, ::2][:n], half.audio[0, :n])[0, 1] > 0.97, full.name


@pytest.mark.parametrize("rate", [8000, 96_000])
def test_low_and_high_rates_work(rate):
    for sound in SyntheticPercussion(rate, 1, 16, n_sounds=24).read():
        assert np.isfinite(sound.audio).all()
        assert np.abs(sound.audio).max() == pytest.approx(0.95)


def test_480_sounds_take_seconds_and_not_minutes():
    started = time.process_time()
    sum(1 for _ in SyntheticPercussion(RATE, 1, 16_384, n_sounds=120).read())
    assert time.process_time() - started < 3


@pytest.mark.parametrize(("name", "value"), [("n_sounds", 0), ("seed", -1), ("seed", 2**32)])
def test_wrong_parameters_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} must"):
        SyntheticPercussion(RATE, 1, 16, **{name: value})


def correlation(audio):
    left, right = audio
    return float(left @ right / np.sqrt((left @ left) * (right @ right)))


def side_db(audio):
    left, right = audio
    return float(10 * np.log10((left @ left) / (right @ right)))


def test_in_stereo_each_drum_of_a_kit_stands_at_a_place_of_its_own():
    sounds = list(SyntheticPercussion(44100, 2, 16384, n_sounds=240).read())
    places = {}
    for sound in sounds:
        assert correlation(sound.audio) > 0.9
        places.setdefault((sound.group, sound.name.partition("/")[0]), []).append(side_db(sound.audio))
    for of_one in places.values():
        assert max(of_one) - min(of_one) < 1
    middle = [abs(db) for (_, voice), dbs in places.items() if voice in {"kick", "snare"} for db in dbs]
    others = [abs(db) for (_, voice), dbs in places.items() if voice not in {"kick", "snare"} for db in dbs]
    assert max(middle) < 2.5
    assert np.median(others) > 2
    assert max(float(np.abs(sound.audio).max()) for sound in sounds) <= 0.95 + 1e-6


def test_one_channel_is_what_it_was_before_there_was_a_place():
    mono = SyntheticPercussion(44100, 1, 16384, n_sounds=2)
    assert mono.fingerprint() == "aeb9470b923fe1f8c2d84f67ae4c0c4389c4536f4e42383ae610133b647ffd91"
