"""How large a page becomes, and what is left out before it becomes too large."""

import base64
import io

import numpy as np
import pytest
import soundfile

from flowvae.report.listening import listening
from flowvae.report.reading import read_folder
from flowvae.report.sounds import read_clip, sound_address
from flowvae.report.write import write_report
from pretended_runs import BASE, RATE, strike, write_tree


def test_a_sound_is_about_half_as_large_as_its_file_and_the_same_to_the_bit(tmp_path):
    path = tmp_path / "drum.wav"
    soundfile.write(path, strike(180, 0.06, 0.02, 0), RATE, subtype="PCM_16")
    coded = base64.b64decode(sound_address(read_clip(path)).partition(",")[2])
    assert len(coded) < 0.55 * path.stat().st_size
    decoded, rate = soundfile.read(io.BytesIO(coded), dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(decoded, soundfile.read(path, dtype="int16")[0])


@pytest.mark.slow
def test_three_arms_of_six_seeds_with_eight_sounds_are_all_heard_below_25_megabytes(tmp_path):
    folder = write_tree(tmp_path / "few", [BASE] * 3, names=("a", "b", "c"), n_clips=8)
    found = listening(read_folder(folder))
    assert (len(found.rows), len(found.seeds), found.left_out_seeds) == (8, 6, 0)
    assert all(len(cell.takes) == 6 for row in found.rows for cell in row.cells)
    assert write_report(folder).stat().st_size < 25_000_000


@pytest.mark.slow
def test_sixty_arms_of_six_seeds_stay_below_20_megabytes(tmp_path):
    """Every arm makes a second of noise, which no coder makes small."""
    names = [f"arm_{i:02d}" for i in range(60)]
    folder = write_tree(tmp_path / "many", [BASE] * 60, names=names, n_clips=2)
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, RATE)
    for path in folder.glob("runs/*/seed-*/audio/step-000000500/*.wav"):
        soundfile.write(path, noise, RATE, subtype="PCM_16")
    page = write_report(folder)
    assert 10_000_000 < page.stat().st_size < 20_000_000
    assert "more seeds would make the page too large" in page.read_text("utf-8")


def test_samples_are_left_out_before_a_page_becomes_too_large(runs):
    folder = read_folder(runs([BASE[:2]] * 2, n_clips=2))
    whole, least = listening(folder), listening(folder, room=300_000)
    assert (len(whole.rows), len(whole.prior_rows), len(whole.seeds)) == (2, 2, 2)
    assert (len(least.prior_rows), len(least.seeds)) == (0, 1)
