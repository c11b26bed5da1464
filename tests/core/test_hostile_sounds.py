"""Sounds that were damaged at random, in numbers that a fuzzer would call few."""

import numpy as np
import pytest
import soundfile

from flowvae_components.audio_files.decoding import Decoder, UndecodableError

KINDS = ("wav", "aiff", "flac", "ogg", "mp3", "caf", "au", "rf64", "w64")
EACH = 56


def damaged(whole, draw):
    """Bytes of it changed, cut out or doubled, mostly where its header is."""
    data = bytearray(whole)
    for _ in range(draw.integers(1, 12)):
        at = int(draw.integers(0, max(1, min(len(data), 10 ** int(draw.integers(2, 6))))))
        match int(draw.integers(4)):
            case 0:
                data[at : at + 1] = bytes([draw.integers(256)])
            case 1:
                data[at : at + 4] = draw.bytes(4)
            case 2:
                del data[at : at + int(draw.integers(1, 200))]
            case 3:
                data[at:at] = data[at : at + int(draw.integers(1, 200))]
    return bytes(data)


@pytest.mark.slow
def test_case_41_five_hundred_mutated_files_cost_no_more_than_themselves(tmp_path):
    """Each is decoded to numbers or refused in a line, and the file after it is decoded as ever."""
    t = np.arange(8000) / 44100
    tone = np.sin(2 * np.pi * 220 * t) * np.exp(-20 * t)
    draw, n_decoded, said = np.random.default_rng(0), 0, []
    soundfile.write(tmp_path / "good.wav", tone, 44100)
    good = (tmp_path / "good.wav").read_bytes()
    with Decoder() as decoder:
        for kind in KINDS:
            soundfile.write(tmp_path / "x", tone, 44100, format=kind.upper())
            whole = (tmp_path / "x").read_bytes()
            for _ in range(EACH):
                try:
                    found = decoder.decode(damaged(whole, draw))
                    n_decoded += 1
                    assert found.audio.dtype == np.float32
                except UndecodableError as error:
                    said.append(str(error))
            assert decoder.decode(good).audio.shape == (1, 8000)
    assert all(said)
    assert not [reason for reason in said if "\n" in reason]
    assert n_decoded + len(said) == len(KINDS) * EACH >= 500
    assert min(n_decoded, len(said)) > 50
