"""Claims of the names of instruments: names as sample packs and drum machines really use them."""

import pytest

from flowvae.data.instruments import folder_instrument, instrument


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("kick.wav", "kick"),
        ("KickDrum01.WAV", "kick"),
        ("vinylkick_3.flac", "kick"),
        ("bassdrum_acoustic02.ogg", "kick"),
        ("Bass Drum 4.aif", "kick"),
        ("BD0025.WAV", "kick"),
        ("SD_50.wav", "snare"),
        ("jsnare_03.flac", "snare"),
        ("SN3_03.aiff", "snare"),
        ("HiHatSemiopen-0.wav", "hat"),
        ("Hi-Hat (open).wav", "hat"),
        ("hhclosed_03.flac", "hat"),
        ("909 OH 1.wav", "hat"),
        ("CH.WAV", "hat"),
        ("PearlTomFloor-Med.wav", "tom"),
        ("Handclap.wav", "clap"),
        ("CP_02.wav", "clap"),
        ("PearlSideStick-Soft.wav", "rim"),
        ("snare_rim01.ogg", "rim"),
        ("PaisteRideFlink-Hard.wav", "cymbal"),
        ("CrashRide18Bell-0.wav", "cymbal"),
        ("Crashes 2.wav", "cymbal"),
        ("tabla_ghe7.flac", "percussion"),
        ("CowBell.wav", "percussion"),
        ("perc_tom.wav", "tom"),
        ("maracas.wav", "shaker"),
        ("open_hat/open_hat-017", "hat"),
        ("snares/003.wav", "snare"),
        ("kits/909/BD/0010.wav", "kick"),
        ("kicks/hat in the back.wav", "hat"),
        ("Snares/Vinyl/one.wav", "snare"),
        ("Ride Kit/01.wav", None),
        ("bottom_12.wav", None),
        ("sub bass.wav", None),
        ("emptySample.flac", None),
        ("beats_08-37.flac", None),
        ("that thing.wav", None),
        ("", None),
        ("/", None),
    ],
)
def test_a_name_says_which_instrument_it_is(name, kind):
    assert instrument(name) == kind


@pytest.mark.parametrize("word", ["kick", "snare", "hat", "tom", "clap", "cymbal", "rim", "shaker", "conga"])
def test_singular_and_plural_capital_and_small_say_the_same(word):
    kinds = {
        instrument(f"{folder}/01.wav") for folder in (word, f"{word}s", word.title(), f"01 {word.upper()}S")
    }
    assert len(kinds) == 1
    assert None not in kinds


def test_an_abbreviation_must_be_all_that_a_folder_is_called():
    assert folder_instrument("808 BD 2") == "kick"
    assert folder_instrument("MC Pack") is None
    assert folder_instrument("Tom's Drum Kit") is None
