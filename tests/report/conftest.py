from pathlib import Path

import numpy as np
import pytest
from attrs import fields

from flowvae.processes import dealt_out
from flowvae.report import listening, row_gains, write
from flowvae.report.sounds import Clip
from flowvae.report.write import Pictures, write_report
from pretended_runs import BASE, WORSE, write_tree
from two_players import make_opposed


def draw_nothing(*_):
    return Pictures(*[None] * len(fields(Pictures)))


@pytest.fixture(autouse=True)
def undrawn(request, monkeypatch):
    """These tests read the words of a page: its figures take two seconds a page, and have tests of their own."""
    if request.module.__name__.rpartition(".")[2] in {
        "test_across",
        "test_artefacts",
        "test_blind_answers",
        "test_by_class",
        "test_export",
        "test_factors",
        "test_first_heard",
        "test_groups",
        "test_recomputed",
        "test_many_runs",
        "test_own_best",
        "test_page_size",
        "test_report",
        "test_same_figures",
        "test_sound_formats",
        "test_switching",
        "test_listening",
        "test_two_players",
        "test_verdicts",
    }:
        monkeypatch.setattr(write, "_draw", draw_nothing)


def remembering(work):
    """The same function of sounds and numbers, which works out only what it has not been asked before."""
    known = {}

    def key_of(given):
        if isinstance(given, Clip):
            return given.audio.shape, given.audio.tobytes(), given.rate
        return (given.shape, given.tobytes()) if isinstance(given, np.ndarray) else given

    def answer(*given):
        key = tuple(map(key_of, given))
        if key not in known:
            known[key] = work(*given)
        return known[key]

    return answer


@pytest.fixture(scope="session", autouse=True)
def painted_once():
    """Pretended runs have the same few sounds in every test: what a page makes of a sound is made once a session."""
    with pytest.MonkeyPatch.context() as here:
        here.setattr(
            dealt_out, "n_cores", lambda: 1
        )  # what a copy of this process has learned is lost with it
        for name in ("levels_db", "picture_address", "sound_address"):
            here.setattr(listening, name, remembering(getattr(listening, name)))
        here.setattr(row_gains, "loudness", remembering(row_gains.loudness))
        yield


@pytest.fixture(scope="session")
def opposed(tmp_path_factory):
    """The folder of a finished ablation with second players, and what its terminal heard; tests do not touch it."""
    return make_opposed(tmp_path_factory.mktemp("opposed"), draw_nothing)


@pytest.fixture
def runs(tmp_path):
    """Writes a tree of runs below a fresh folder; without sounds, unless they are asked for."""

    def write(values, **changes) -> Path:
        return write_tree(tmp_path / "ablation", values, **{"n_clips": 0, **changes})

    return write


@pytest.fixture(scope="session")
def typical(tmp_path_factory):
    """A finished ablation of two arms with its report, which tests may look at and not touch."""
    folder = write_tree(tmp_path_factory.mktemp("typical"), [BASE, WORSE])
    write_report(folder)
    return folder
