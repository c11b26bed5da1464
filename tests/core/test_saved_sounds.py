"""A sound that goes beyond full scale is written whole and counted, and what is no sound is not written."""

import io

import numpy as np
import pytest
import soundfile
import torch

from flowvae.folder.audio import wav_bytes, write_wav
from flowvae.report.sounds import read_clip

BEYOND = "3 samples beyond full scale, highest 1.75"
LOUD = torch.tensor([[0.0, 0.5, 1.25, 1.75, -1.6, 1.0, -1.0]])


def test_what_exceeds_full_scale_is_kept_and_told(tmp_path):
    """A network that comes out too loud was heard distorted, although the page plays it lowered."""
    assert write_wav(tmp_path / "loud.wav", LOUD, 44_100) == BEYOND
    assert np.array_equal(read_clip(tmp_path / "loud.wav").audio, LOUD.T.double().numpy())


def test_a_sound_within_full_scale_is_written_as_before(tmp_path):
    quiet = LOUD.clamp(-1, 1)
    assert write_wav(tmp_path / "a.wav", quiet, 44_100) == ""
    plain = io.BytesIO()
    samples = quiet.clamp(-1.0, 32767 / 32768).T.numpy()
    soundfile.write(plain, samples, 44_100, format="WAV", subtype="PCM_16")
    assert (tmp_path / "a.wav").read_bytes() == plain.getvalue()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_case_29_what_is_no_number_is_never_written_as_silence(value, tmp_path):
    broken = torch.tensor([[0.5, value, value]])
    assert write_wav(tmp_path / "nan.wav", broken, 44_100) == "2 samples are no numbers, not written"
    assert not (tmp_path / "nan.wav").exists()
    with pytest.raises(ValueError, match="not finite"):
        wav_bytes(broken, 44_100)
